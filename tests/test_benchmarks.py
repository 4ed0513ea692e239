"""Every benchmark runs, once and on a few points: nothing here looks at a clock."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.peers

FOLDER = Path(__file__).parents[1] / "benchmarks"

# The rows are data and need no library; they are read to know what there is to run.
sys.path.insert(0, str(FOLDER))
try:
    from benchmarks.rows import MEMORY, ROWS, Row
finally:
    sys.path.remove(str(FOLDER))


# These are no array libraries; `nox -s bench` has all of them, and runs the rows.
NEEDED = {"findiff": "findiff", "correlate1d": "scipy"}
MISSING = {
    name
    for name in ("findiff", "scipy", "numba")
    if importlib.util.find_spec(name) is None
}
TESTED = [
    row
    for row in ROWS
    if NEEDED.get(str(row.peer)) not in MISSING
    and (row.way != "compiled" or "numba" not in MISSING)
]
#: These have other values at the edges, or at holes.
OTHER_VALUES = ("findiff", "one-sided", "no mask")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is compiled in a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture
def ratios(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the script, with so little work that it takes no time."""
    monkeypatch.syspath_prepend(FOLDER)
    module = importlib.import_module("ratios")
    least = module.Effort(runs=2, rounds=1, seconds=0.0)
    monkeypatch.setattr(module, "QUICK", least)
    monkeypatch.setattr(module, "SHORTEST", 0.0)
    yield module
    del sys.modules["ratios"]


def rows_of(library: str, rows: list[Row]) -> list[Row]:
    return [row.smallest() for row in rows if row.library == library]


def numbers(results: Any) -> Any:
    """Return the results of any call as one NumPy array per dim."""
    import numpy

    if len(results) == 1:
        results = results[0]
    if isinstance(results, tuple | list):
        return [numpy.asarray(result) for result in results]
    return [numpy.asarray(results)]


def written_by_numba(row: Row) -> tuple[slice, ...]:
    """Return where `numba.stencil` writes more than zeros."""
    edge = row.accuracy // 2
    return (slice(None),) * row.dim + (slice(edge, -edge),)


@pytest.mark.parametrize("row", TESTED, ids=str)
def test_rows(
    numpy: Any, torch: Any, jax: Any, dask: Any, row: Row, ratios: ModuleType
) -> None:
    """All do the same work: the peers' values are anygrad's."""
    calls = ratios.contenders(row.smallest())
    assert set(calls) >= ({"anygrad", "peer"} if row.peer else {"anygrad", "floor"})
    wanted = numbers(calls["anygrad"]())
    exact = row.dtype not in ("float16", "uint8")
    if exact and row.peer not in (None, *OTHER_VALUES):
        for result, target in zip(numbers(calls["peer"]()), wanted, strict=True):
            inside = written_by_numba(row) if row.peer == "numba.stencil" else ...
            pair, nan = (result[inside], target[inside]), bool(row.missing)
            assert numpy.allclose(*pair, rtol=1e-4, atol=1e-4, equal_nan=nan)
    for call in calls.values():
        call()


def test_the_names_tell_rows_apart() -> None:
    for rows in (ROWS, MEMORY):
        assert len({str(row) for row in rows}) == len(rows)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_memory(numpy: Any, torch: Any, ratios: ModuleType, name: str) -> None:
    """On a few points a call takes pages for more than its results."""
    (row, *_) = rows_of(name, MEMORY)
    assert ratios.memory.peak(row) >= 0.0


def test_script(
    numpy: Any,
    torch: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    ratios: ModuleType,
) -> None:
    """It prints a table, says what the targets are, and writes the figures."""
    monkeypatch.setattr(ratios, "ROWS", rows_of("numpy", ROWS)[:2])
    monkeypatch.setattr(ratios, "MEMORY", rows_of("numpy", MEMORY)[:1])
    ratios.main(["--quick", "--json", str(tmp_path / "figures.json")])
    machine, _, header, _, *lines = capsys.readouterr().out.splitlines()
    assert "cores" in machine
    assert header == "| work | ratio | median | runs | target |  |"
    assert len(lines) == 2 * 2 + 1 + 2
    for line in lines:
        assert line.endswith(("| met |", "| **missed** |"))
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [len(line["runs"]) for line in figures["lines"]] == [2] * 7


def test_what_is_shown_as_equal_is_met(ratios: ModuleType) -> None:
    for sign, value in (("≤", 1.0543), ("≥", 1.0457)):
        line = ratios.Line("a row", "a ratio", [value], sign, 1.05)
        assert line.verdict == "met"
    assert ratios.Line("a row", "a ratio", [1.056], "≤", 1.05).verdict == "**missed**"


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes tables and plots of the figures."""
    for folder in ("examples", "docs"):
        monkeypatch.syspath_prepend(FOLDER.parent / folder)
    return importlib.import_module("figures")


def test_every_missed_target_has_a_reason(figures: Any) -> None:
    _, found = figures.measured()
    for figure in found:
        assert not figure.missed or figures.reason(figure), figure
    used = {figures.reason(figure) for figure in found if figure.missed}
    assert used == {why for _, why in figures.reasons()}


def test_every_figure_is_in_a_table(figures: Any) -> None:
    _, found = figures.measured()
    tables = "".join(map(figures.of_library, (*figures.OWN, "other")))
    assert len(tables.splitlines()) == len(found) + 2 * (len(figures.OWN) + 1)


def test_the_verdicts_of_the_file_are_those_of_the_page(figures: Any) -> None:
    text = figures.MEASURED.read_text(encoding="utf-8")
    _, found = figures.measured()
    assert text.count("**missed**") == sum(figure.missed for figure in found)


def test_what_other_pages_say_of_the_figures(figures: Any) -> None:
    """The README has the medians, and the page of reasons all ends."""
    root = FOLDER.parent
    readme = (root / "README.md").read_text(encoding="utf-8")
    why = (root / "docs" / "guide" / "why.md").read_text(encoding="utf-8")
    _, found = figures.measured()
    behind = {}
    for library, own in figures.OWN.items():
        times = [figure.median for figure in figures.against_own(library, found)]
        behind[library] = sum(time < 1 for time in times)
        middle, count = f"{statistics.median(times):.1f}", len(times)
        assert re.search(rf"`{own}`[^.]*\*\*{middle}\*\*[^.]*, .*of {count}", readme)
        assert re.search(rf"`{own}`[^;]*? {min(times):.1f} to {max(times):.1f}", why)
    assert behind == {"numpy": 0, "torch": 2, "jax": 6, "dask": 0}  # it says so


def test_what_the_page_says_of_another_machine(
    figures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MEASURED", FOLDER / "figures-amd.md")
    _, found = figures.measured()
    page = (FOLDER.parent / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    (line,) = re.findall("Another machine .*", page)
    missed, targets = [int(n) for n in re.findall(r"(\d+) of (\d+) targets", line)[0]]
    assert missed == sum(figure.missed for figure in found)
    assert targets == sum(bool(figure.target) for figure in found)
    for library, own in figures.OWN.items():
        times = [figure.median for figure in figures.against_own(library, found)]
        assert f"`{own}` " in line
        assert re.search(rf"`{own}` [a-z ]*{statistics.median(times):.1f}", line)


@pytest.mark.parametrize("options", [[], ["--once"]])
def test_sizes_are_measured(
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
) -> None:
    """Each kind of call is a row, of which the times are told."""
    own = "anygrad_now"
    loaded = {k: v for k, v in sys.modules.items() if k.partition(".")[0] != own}
    monkeypatch.syspath_prepend(FOLDER)
    sizes = importlib.import_module("sizes")
    monkeypatch.setattr(sizes, "SHAPES", [(9,), (3, 4)])
    monkeypatch.setattr(sizes, "medians", lambda calls: [2.0] * len(calls))
    monkeypatch.setattr(sys, "argv", ["sizes.py", "--dtypes", "uint8", *options])
    sizes.main()
    assert len(capsys.readouterr().out.splitlines()) == 2 + 2 + 4
    # A checkout that is measured takes nobody's place, nor that of its own package.
    assert loaded.items() <= sys.modules.items()


@pytest.mark.parametrize(
    "of", ["numpy", pytest.param("torch", marks=pytest.mark.peers)]
)
def test_what_is_drawn_is_measured(
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    of: str,
) -> None:
    """The percentiles come first, and then the calls that are behind."""
    pytest.importorskip(of)
    monkeypatch.syspath_prepend(FOLDER)
    drawn = importlib.import_module("drawn")
    monkeypatch.setattr(drawn, "SIZES", (1.0, 2.0))
    times = iter([4.0] + [2.0, 4.0] * drawn.TIMES)
    monkeypatch.setattr(drawn, "timed", lambda call, _: call() is None or next(times))
    argv = ["drawn.py", "--seconds", "0", "--library", of]
    monkeypatch.setattr(sys, "argv", argv)
    if of == "torch":
        torch = importlib.import_module("torch")
        monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    drawn.main()
    first, *lines, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"1 calls; {of}.gradient takes")
    assert len(lines) == len(drawn.PERCENTILES)
    assert last.split()[:3] == ["2.00", "2", "4"]


@pytest.mark.peers
def test_wide_formulas_are_measured(
    jax: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of call is a row, of which the times are told."""
    monkeypatch.syspath_prepend(FOLDER)
    wide = importlib.import_module("wide")
    monkeypatch.setattr(wide, "timed", lambda call, _: call() is None or 2e6)
    monkeypatch.setattr(wide, "KINDS", wide.KINDS[:1] + wide.KINDS[-1:])
    wide.main(["--length", "12"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| derivative, dim 0, coordinates | 2000.0 | 2.0 |"
    assert len(lines) == 2 + 2


@pytest.fixture(params=["numpy", "torch"])
def printed(
    request: pytest.FixtureRequest,
    numpy: Any,
    torch: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[ModuleType], list[str]]:
    """Return what has a script measure a library on few samples: two milliseconds."""
    monkeypatch.syspath_prepend(FOLDER)

    def lines(script: ModuleType) -> list[str]:
        monkeypatch.setattr(script, "timed", lambda call, _: call() is None or 2e3)
        script.main(["--length", "12", "--library", request.param])
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.peers
def test_curved_calls_are_measured(printed: Any) -> None:
    """Each kind of call is a row, of which the times are told."""
    curved = importlib.import_module("curved")
    lines = printed(curved)
    assert lines[2] == "| divergence, cylindrical | 2.00 | 2.00 |"
    assert len(lines) == 2 + len(curved.KINDS)


@pytest.mark.peers
def test_calls_with_holes_are_measured(printed: Any) -> None:
    """Each kind of call is a row for each dtype, and each mask a ratio."""
    holes = importlib.import_module("holes")
    lines = printed(holes)
    ratios = " | ".join(["1.0"] * (1 + len(holes.SCATTERED)))
    assert lines[2] == f"| float32, derivative, dim=0 | now | 2.00 ms | {ratios} |"
    assert len(lines) == 2 + 2 * len(holes.KINDS)


def test_every_plot_is_drawn(numpy: Any, figures: Any, tmp_path: Path) -> None:
    """Those of the pages have the same names."""
    assert figures.main(tmp_path) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in figures.DRAWN.iterdir()}
    page = (FOLDER.parent / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for name in names:
        assert f"_static/benchmarks/{name}" in page


def test_choosing_rows(ratios: ModuleType) -> None:
    names = [str(row) for row in ratios.chosen(ROWS, ["numpy", "float32", "F order"])]
    assert names
    assert all("numpy, float32" in name and "F order" in name for name in names)


def test_asv(numpy: Any, ratios: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asv does with a class: setup and call, or one left out."""
    gradient = importlib.import_module("benchmarks.gradient")
    row = rows_of("numpy", ROWS)[0]
    monkeypatch.setattr(gradient, "ROWS", [row])
    monkeypatch.setattr(gradient, "MEMORY", [row])
    for function in ("anygrad", "peer", "floor"):
        times = gradient.Rows()
        times.setup(str(row), function)
        times.time_call(str(row), function)
    sizes = gradient.Memory()
    sizes.setup(str(row))
    sizes.peakmem_call(str(row))
    with pytest.raises(NotImplementedError):
        gradient.Rows().setup(str(row), "nobody")
    code, preparation = gradient.timeraw_import()
    exec(f"{preparation}; {code}", {})
