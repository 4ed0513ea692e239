"""Which array libraries a run is on, how a test asks for one, and how much is run.

It lies here, and not with the tests, so that examples in the sources, the pages of the
documentation and the benchmarks have the same options and fixtures.

A test that takes the fixture `backend` runs on every form of every library chosen,
and one that takes `library` on the first form of each.  With the argument
`dtype`, `integer`, `single_or_double` or `half` it runs on every such dtype, once for
forms that have the same dtypes.  A test that takes a fixture named after a library,
e.g. `torch`, gets that library's module and is left out of a run that has not chosen
it; together with `backend`, it runs on every form of that library.

Three sizes of a run: the usual one has every pair of values of a test's arguments;
`--brief` every value, and not what is marked `once`; `--full` has all combinations,
what is marked `full`, and more examples of hypothesis.
"""

from __future__ import annotations

import heapq
import importlib
import importlib.util
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

import anygrad
from backends import (
    ABSENT,
    BACKENDS,
    CHOSEN,
    LIBRARIES,
    OPTIONS,
    Backend,
    is_installed,
    plain,
)

#: Tests that must fail, and why: an entry that passes fails the run.  The key is the
#: id of a backend and the beginning of a test's name.
EXPECTED_FAILURES: dict[tuple[str, str], str] = {}

#: The fixtures that stand for libraries.
FIXTURES = {library.replace("-", "_"): library for library in LIBRARIES}

hypothesis.settings.register_profile(
    "default",
    deadline=None,
    max_examples=25,
    database=None,
    # The fixture `backend` sets a library up once for all examples, as it should.
    suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.too_slow,
    ],
)
hypothesis.settings.register_profile(
    "full", hypothesis.settings.get_profile("default"), max_examples=200
)
hypothesis.settings.load_profile("default")

#: The arguments that stand for a dtype, and the attributes of a backend that list them.
KINDS = {
    "dtype": "dtypes",
    "integer": "integers",
    "single_or_double": "reals",
    "half": "halves",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        action="append",
        choices=tuple(OPTIONS),
        default=[],
        help="run on this array library; may be repeated (all that are installed, "
        "and those with a GPU in their name when asked for)",
    )
    parser.addoption(
        "--other",
        action="append",
        default=[],
        help="run tests/test_others.py on this library (all that are installed)",
    )
    parser.addoption(
        "--cluster",
        action="store_true",
        help="run all of test_cluster.py and test_two_processes.py, on two processes",
    )
    parser.addoption(
        "--brief",
        action="store_true",
        help="take every value of a test's arguments, not every pair of them",
    )
    parser.addoption(
        "--full",
        action="store_true",
        help="take all combinations, and what is marked `full`; stronger than --brief",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the libraries; one that was asked for and does not work is an error."""
    config.addinivalue_line(
        "markers", "forms(*ids): which forms of `backend`; all: the slow ones, too"
    )
    config.addinivalue_line("markers", "about(*names): for these values of `other`")
    config.addinivalue_line("markers", "full: runs with `--full` only")
    config.addinivalue_line("markers", "once: not with `--brief`, as it is no other")
    config.addinivalue_line(
        "markers", "cover(n): every n values together; 2 if unsaid, 0: one case"
    )
    if config.getoption("full"):
        hypothesis.settings.load_profile("full")
    # Taken out, so that no process of a test takes it for its own.
    if file := os.environ.pop("ANYGRAD_PROGRESS", None):
        config.pluginmanager.register(Progress(Path(file)))
    asked = config.getoption("backend")
    if {"jax", "jax-gpu"} <= set(asked):
        msg = "--backend jax-gpu: run it without jax, which keeps JAX on the CPU"
        raise pytest.UsageError(msg)
    config.stash[CHOSEN] = {}
    for option in OPTIONS:
        if option not in (asked or filter(is_installed, LIBRARIES)):
            continue
        try:
            config.stash[CHOSEN][option] = describe(option)
        except Exception as error:
            if asked:
                msg = f"--backend {option}: {type(error).__name__}: {error}"
                raise pytest.UsageError(msg) from error
    config.stash[ABSENT] = {
        form.id: reason
        for form in BACKENDS
        if form.option in config.stash[CHOSEN] and (reason := form.absence())
    }


def describe(option: str) -> str:
    """Import a library and return its version."""
    remark = ""
    if option == "cupy":
        remark = prepare_cupy()
    if option == "jax":  # two devices, which must be asked for before the import
        os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if option == "jax-gpu":  # else it takes most of the memory for itself
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    module = importlib.import_module(LIBRARIES[OPTIONS[option]].partition(".")[0])
    if option != OPTIONS[option]:
        remark = f" on {GPUS[option](module)}"
    return f"{module.__version__}{remark}"


def gpu_of_torch(torch: ModuleType) -> str:
    """Return the name of the GPU that torch has."""
    if torch.version.cuda is None:
        msg = f"torch {torch.__version__} is built without CUDA"
        raise RuntimeError(msg)
    if not torch.cuda.is_available():
        msg = "torch finds no GPU that CUDA can use"
        raise RuntimeError(msg)
    return str(torch.cuda.get_device_name())


def gpu_of_jax(jax: ModuleType) -> str:
    """Return the name of the GPU that JAX puts arrays on."""
    if jax.default_backend() != "gpu":
        msg = (
            f"JAX puts arrays on the {jax.default_backend()}: it finds no GPU, its "
            "plugin for CUDA is missing, or JAX_PLATFORMS says so"
        )
        raise RuntimeError(msg)
    return str(jax.devices()[0].device_kind)


#: By the names for `--backend`.
GPUS = {"torch-cuda": gpu_of_torch, "jax-gpu": gpu_of_jax}


def prepare_cupy() -> str:
    """Pretend a driver where there is no GPU, before CuPy is imported."""
    import cupy_on_cpu

    if cupy_on_cpu.gpu_present():
        return ""
    cupy_on_cpu.install()
    return " (emulated driver)"


def pytest_report_header(config: pytest.Config) -> list[str]:
    libraries = ", ".join(f"{name} {v}" for name, v in config.stash[CHOSEN].items())
    return [
        f"anygrad {anygrad.__version__} on: {libraries or 'no array library'}",
        *(f"left out: {form}, {why}" for form, why in config.stash[ABSENT].items()),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    marks = metafunc.definition.iter_markers("parametrize")
    given = {name for mark in marks for name in _names(mark.args[0])}
    named = {FIXTURES[name] for name in names if name in FIXTURES}
    chosen = metafunc.config.stash[CHOSEN]
    for fixture, forms in (
        ("backend", BACKENDS),
        ("library", tuple(map(plain, OPTIONS))),
    ):
        if fixture not in names:
            continue
        wanted = metafunc.definition.get_closest_marker("forms")
        sets = [
            form
            for form in forms
            if form.option in chosen
            and form.id not in metafunc.config.stash[ABSENT]
            and (not named or form.library in named)
            and _is_wanted(form, wanted)
        ]
        for argument, dtypes in KINDS.items():
            if argument in names and argument not in given:
                pairs = [(f, d) for f in apart(sets) for d in getattr(f, dtypes)]
                metafunc.parametrize(
                    (fixture, argument), pairs, indirect=[fixture], ids=str
                )
                break
        else:
            metafunc.parametrize(fixture, sets, indirect=True, ids=str)


def _is_wanted(form: Backend, forms: pytest.Mark | None) -> bool:
    if forms is None:
        return not form.seldom
    return not {form.id, form.on_cpu, "all"}.isdisjoint(forms.args)


def _names(argnames: str | Sequence[str]) -> Sequence[str]:
    return argnames.split(",") if isinstance(argnames, str) else argnames


def apart(forms: list[Backend]) -> list[Backend]:
    """Return the first of all forms that have the same dtypes."""
    first: dict[object, Backend] = {}
    for form in forms:
        first.setdefault((form.option, form.default, form.dtypes), form)
    return list(first.values())


@pytest.hookimpl(trylast=True)  # after `-k` and `-m`, to thin out what they leave
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what was not chosen, and what a run of this size does without."""
    kept: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        kept[_is_chosen(config, item)].append(item)
        for (form, name), reason in EXPECTED_FAILURES.items():
            if item.name.startswith(name) and f"[{form}" in item.name:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
    if not config.getoption("full"):
        wanted = thinned(kept[True], brief=config.getoption("brief"))
        kept[False] += [item for item in kept[True] if item not in wanted]
        kept[True] = [item for item in kept[True] if item in wanted]
    if kept[False]:
        config.hook.pytest_deselected(items=kept[False])
    items[:] = kept[True]


def _is_chosen(config: pytest.Config, item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    needed = {FIXTURES[name] for name in names if name in FIXTURES}
    # No form at all, of a library or with a kind of dtype: pytest would skip it.
    empty = "NOTSET" in item.name
    chosen = set(config.stash[CHOSEN])
    if "jax-gpu" in chosen:  # where arrays go that are sent nowhere
        chosen.add("jax")
    return needed <= chosen and not empty


def thinned(items: Sequence[pytest.Item], *, brief: bool) -> set[pytest.Item]:
    """Return what is left of tests without `--full`."""
    cases: dict[tuple[object, str], list[pytest.Item]] = {}
    left = ("full", "once") if brief else ("full",)
    for item in items:
        if not any(map(item.get_closest_marker, left)):
            name = getattr(item, "originalname", item.name)
            cases.setdefault((item.parent, name), []).append(item)
    wanted: set[pytest.Item] = set()
    for group in cases.values():
        mark = group[0].get_closest_marker("cover")
        together = 1 if brief else mark.args[0] if mark else 2
        wanted.update(covering({item: _values(item) for item in group}, together))
    return wanted


def _values(item: pytest.Item) -> list[tuple[str, str]]:
    """Return the values of a test's arguments; a row of a table counts as one."""
    spec = getattr(item, "callspec", None)
    params = dict(spec.params) if spec else {}
    values = []
    for mark in item.iter_markers("parametrize"):
        row = [repr(params.pop(name.strip(), None)) for name in _names(mark.args[0])]
        values.append((str(mark.args[0]), str(row)))
    return values + [(name, repr(value)) for name, value in params.items()]


def covering(
    cases: Mapping[pytest.Item, Sequence[object]], together: int
) -> Iterator[pytest.Item]:
    """Yield cases until every `together` of their values have occurred in one.

    Greedily: always the first of those that have most that is new.
    """
    new = [
        (item, set(itertools.combinations(values, min(together, len(values)))))
        for item, values in cases.items()
    ]
    # What was counted before is no less than what is new now.
    order = [(-len(those), number) for number, (_, those) in enumerate(new)]
    heapq.heapify(order)
    seen: set[object] = set()
    while order:
        _, number = order[0]
        item, those = new[number]
        those -= seen
        if not those:
            heapq.heappop(order)
        elif heapq.heapreplace(order, (-len(those), number)) == order[0]:
            heapq.heappop(order)
            seen |= those
            yield item


class Progress:
    """Says how far the tests are, for those who see the output at the end only.

    `nox` gives the file, and prints what is written there (`nox_sessions/progress.py`).
    """

    EVERY = 20  # seconds

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = os.environ.get("NOX_CURRENT_SESSION", "pytest")
        self.began = self.said = time.monotonic()
        self.total = self.done = self.failed = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed += report.failed
        self.done += report.when == "teardown"
        now = time.monotonic()
        if now - self.said > self.EVERY or (report.failed and self.failed == 1):
            self.said = now
            failed = f", {self.failed} failed" if self.failed else ""
            with self.file.open("a", encoding="utf-8") as file:
                file.write(
                    f"{self.name}: {self.done} of {self.total} tests{failed}, "
                    f"{now - self.began:.0f} s\n"
                )


def _active(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return one form of one array library, set up for the time of a test."""
    with request.param.active():
        yield request.param


#: Each form of each library, and each library in its plain form.
backend, library = (pytest.fixture(_active, name=n) for n in ("backend", "library"))


@pytest.fixture
def kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each shape's plan kept from its first call on."""
    monkeypatch.setattr("anygrad._kept_plans.OFTEN", 1)


def _module_fixture(name: str, load: Callable[[str], Any], module: str) -> object:
    return pytest.fixture(lambda: load(module), name=name)


_optional = partial(pytest.importorskip, exc_type=ImportError)
for _name, _library in FIXTURES.items():
    _module = LIBRARIES[_library].partition(".")[0]
    globals()[_name] = _module_fixture(_name, importlib.import_module, _module)
for _name, _module in (("xr", "xarray"), ("labelled", "anygrad.xarray")):
    globals()[_name] = _module_fixture(_name, _optional, _module)
