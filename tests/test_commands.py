"""`python -m anygrad`: what it says of libraries, and its status.

Whatever is wrong with a library or with an option is said in a sentence.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import anygrad
from anygrad import __main__ as versions
from anygrad import _commands, _libraries, _reports
from anygrad.testing import __main__ as promises
from backends import LIBRARIES, Backend
from commands import python, status_of

#: The packages of all libraries.
PACKAGES = tuple(library.package for library in _libraries.TABLE)

HIDDEN = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {PACKAGES!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def rows(out: str) -> dict[str, str]:
    """Return what is said of each library."""
    found = {line.partition(" ")[0]: line for line in out.splitlines()}
    return {name: found[name] for name in LIBRARIES}


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments", [("anygrad",), ("anygrad", "--json"), ("anygrad.testing", "numpy")]
)
def test_a_reader_that_leaves(numpy: Any, arguments: tuple[str, ...]) -> None:
    """As `head` does, which has read enough: that is no error."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (_commands.NOBODY_READS, "")


@pytest.mark.once
def test_nothing_is_imported_that_is_not_asked_for() -> None:
    code = (
        "import sys\nfrom anygrad import __main__ as command\n"
        "status = command.main([])\n"
        f"print('loaded', [name for name in {PACKAGES!r} if name in sys.modules])\n"
        "sys.exit(status)"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("loaded []\n")
    for library in _libraries.TABLE:
        line = rows(done.stdout)[library.name]
        installed = _reports.is_installed(library)
        assert line.endswith("installed, not tried" if installed else "not installed")
        if installed:
            assert f" {_reports.installed_version(library)} " in line


@pytest.mark.once
def test_it_is_quick() -> None:
    before = os.times()
    assert python("-m", "anygrad").returncode == 0
    after = os.times()
    user, system = (
        getattr(after, name) - getattr(before, name)
        for name in ("children_user", "children_system")
    )
    assert user + system < 3


def test_a_library_that_is_named(
    library: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is imported and works, by each of its names, in little more than that."""
    row = next(row for row in _libraries.TABLE if row.name == library.library)
    library.asarray([0.0])
    before = time.process_time()
    for name in dict.fromkeys((row.name, row.package, row.namespace)):
        assert versions.main([name]) == 0
        out = rows(capsys.readouterr().out)
        assert out.pop(row.name).endswith(" works")
        assert not any(line.endswith(" works") for line in out.values())
    assert time.process_time() - before < 3


def test_json(library: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert versions.main([library.library, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["anygrad"] == anygrad.__version__
    assert found["Python"].split(".")[:2] == list(map(str, sys.version_info[:2]))
    reports = {report["library"]: report for report in found["libraries"]}
    assert set(reports) == set(LIBRARIES)
    report = reports.pop(library.library)
    assert (report["status"], report["detail"]) == ("works", "")
    assert report["device"]
    assert report["executor"]
    for other in reports.values():
        assert other["status"] in {"not tried", "not installed"}
        assert other["device"] is other["executor"] is None


def test_all(library: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each library that is installed is tried; one that is not is no mistake."""
    table = [row for row in _libraries.TABLE if row.name == library.library]
    absent = table[0]._replace(name="absent", package="no_such_package")
    monkeypatch.setattr(_reports._libraries, "TABLE", (*table, absent))
    found = _reports.reports(lambda _: True)
    assert [report.status for report in found] == ["works", "not installed"]
    assert versions.main(["--all"]) == 0


@pytest.mark.once
def test_without_any_library() -> None:
    code = HIDDEN + "import runpy\nrunpy.run_module('anygrad', run_name='__main__')\n"
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("not installed") == len(LIBRARIES)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_missing(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said what brings it."""
    monkeypatch.setattr(_reports, "is_installed", lambda _: False)
    assert versions.main([name]) == 2
    told = capsys.readouterr()
    assert rows(told.out)[name].endswith("not installed")
    assert told.err.startswith(f"python -m anygrad: {name} is not installed.")
    assert f"`pip install {versions.BY_NAME[name].distributions[0]}`" in told.err
    assert len(told.err.splitlines()) == 1


FAILURES = {
    "a library of CUDA": "ImportError('libcudart.so.12: cannot open shared object')",
    "a part of it": "ModuleNotFoundError('No module named parts', name='parts')",
    "no driver": "RuntimeError('no CUDA-capable device is detected')",
    "nothing to say": "OSError()",
    "a long story": "ValueError('a' * 500 + chr(10) + 'b')",
}


@pytest.mark.once
@pytest.mark.parametrize("error", FAILURES.values(), ids=list(FAILURES))
def test_a_library_that_cannot_be_imported(tmp_path: Path, error: str) -> None:
    """Both commands say why, in one line."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(f"raise {error}\n", "utf-8")
    kind = error.partition("(")[0]
    done = python("-m", "anygrad", "torch", path=str(tmp_path))
    assert done.returncode == 2
    assert f"cannot be used here: {kind}" in rows(done.stdout)["torch"]
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"python -m anygrad: torch cannot be used here: {kind}")
    done = python("-m", "anygrad.testing", "torch", path=str(tmp_path))
    assert done.returncode == 2
    sentence = f": error: torch cannot be imported here: {kind}"
    assert sentence in done.stderr.splitlines()[-1]
    assert not done.stdout


def test_a_library_that_makes_no_arrays(
    library: Backend,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As CuPy where there is no GPU: the import works, and nothing else does."""
    (row,) = (row for row in _libraries.TABLE if row.name == library.library)

    def fail(*_: Any, **__: Any) -> None:
        msg = "no device\nis detected"
        raise RuntimeError(msg)

    monkeypatch.setattr(sys.modules[row.namespace], "asarray", fail)
    assert versions.main([row.name]) == 2
    told = capsys.readouterr()
    assert "cannot be used here: RuntimeError: no device\n" in told.out
    assert "cannot be used here: RuntimeError: no device\n" in told.err
    assert status_of(promises.main, row.name) == 2
    assert "makes no arrays here: RuntimeError: no device" in capsys.readouterr().err


def test_a_library_that_is_wrong(
    library: Backend,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:

    def fail(*_: Any, **__: Any) -> Any:
        msg = "no kernel"
        raise RuntimeError(msg)

    monkeypatch.setattr(_reports, "gradient", fail)
    assert versions.main([library.library]) == 1
    line = rows(capsys.readouterr().out)[library.library]
    assert line.endswith("goes wrong: RuntimeError: no kernel")

    def twice(f: Any, **keywords: Any) -> Any:
        return tuple(2 * result for result in anygrad.gradient(f, **keywords))

    monkeypatch.setattr(_reports, "gradient", twice)
    assert versions.main([library.library]) == 1
    line = rows(capsys.readouterr().out)[library.library]
    assert ": -6.0 where -3.0 was wanted" in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tensorflow"], "LIBRARY must be one of numpy, torch, jax, dask, cupy, "),
        (["--everything"], "unrecognized arguments: --everything"),
        (["--al"], "unrecognized arguments: --al"),
        (["--json=1"], "ignored explicit argument '1'"),
    ],
)
def test_options_that_are_not_there(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert status_of(versions.main, *arguments) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert not told.out


@pytest.mark.parametrize(
    "main", [versions.main, promises.main], ids=["versions", "promises"]
)
def test_help_says_what_the_status_means(
    main: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(main, "--help") == 0
    out = capsys.readouterr().out
    for number in range(3):
        assert f"\n  {number}  " in out.partition("exit status:")[2]
    for name in LIBRARIES:
        assert name in " ".join(out.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(versions.main, "--version") == 0
    assert capsys.readouterr().out == f"{anygrad.__version__}\n"


def test_a_module_made_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no spec to be found by, and is there all the same."""
    row = _libraries.TABLE[0]._replace(package="made_by_hand", distributions=("none",))
    assert not _reports.is_installed(row)
    assert _reports.installed_version(row) is None
    module = type(sys)("made_by_hand")
    monkeypatch.setitem(sys.modules, "made_by_hand", module)
    assert _reports.is_installed(row)
    assert _reports.report(row, False).status == "not tried"


def test_show_versions_imports_nothing_unless_it_is_told_to(numpy: Any) -> None:
    """By default it tries what has been imported; `every` is all that is installed."""
    done = python(
        "-c",
        "import anygrad, sys\n"
        "from anygrad import _libraries\n"
        "anygrad.show_versions()\n"
        "print('loaded', 'numpy' in sys.modules)\n"
        "_libraries.TABLE = [r for r in _libraries.TABLE if r.name == 'numpy']\n"
        "anygrad.show_versions(every=True)\n"
        "anygrad.show_versions()\n",
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.split("loaded False\n")
    assert rows(first)["numpy"].endswith("installed, not tried")
    assert second.count(" works\n") == 2
