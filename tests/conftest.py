"""Which array libraries the tests run on, and how a test asks for one.

A test that takes the fixture `backend` runs on every form of every library chosen,
and one that takes `library` on the first form of each.  With the argument
`dtype`, `integer`, `single_or_double` or `half` it runs on every such dtype, once for
forms that have the same dtypes.  A test that takes a fixture named after a library,
e.g. `torch`, gets that library's module and is left out of a run that has not chosen
it; together with `backend`, it runs on every form of that library.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from types import ModuleType

import hypothesis
import pytest

import anygrad
from backends import BACKENDS, CHOSEN, LIBRARIES, Backend, is_installed, plain

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
    "ci", hypothesis.settings.get_profile("default"), derandomize=True, max_examples=100
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
        choices=tuple(LIBRARIES),
        default=[],
        help="run on this array library; may be repeated (all that are installed)",
    )
    parser.addoption(
        "--other",
        action="append",
        default=[],
        help="run tests/test_others.py on this library (all that are installed)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the libraries; one that was asked for and does not work is an error."""
    config.addinivalue_line(
        "markers", "forms(*ids): which forms of `backend`; all: the slow ones, too"
    )
    config.addinivalue_line("markers", "about(*names): for these values of `other`")
    asked = config.getoption("backend")
    config.stash[CHOSEN] = {}
    for library in LIBRARIES:
        if library not in asked and (asked or not is_installed(library)):
            continue
        try:
            config.stash[CHOSEN][library] = describe(library)
        except Exception as error:
            if asked:
                msg = f"--backend {library}: {type(error).__name__}: {error}"
                raise pytest.UsageError(msg) from error


def describe(library: str) -> str:
    """Import a library and return its version."""
    remark = ""
    if library == "cupy":
        remark = prepare_cupy()
    if library == "jax":  # two devices, which must be asked for before the import
        os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    module = importlib.import_module(LIBRARIES[library].partition(".")[0])
    return f"{module.__version__}{remark}"


def prepare_cupy() -> str:
    """Pretend a driver where there is no GPU, before CuPy is imported."""
    import cupy_on_cpu

    if cupy_on_cpu.gpu_present():
        return ""
    cupy_on_cpu.install()
    return " (emulated driver)"


def pytest_report_header(config: pytest.Config) -> list[str]:
    libraries = ", ".join(f"{name} {v}" for name, v in config.stash[CHOSEN].items())
    return [f"anygrad {anygrad.__version__} on: {libraries or 'no array library'}"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    marks = metafunc.definition.iter_markers("parametrize")
    given = {name for mark in marks for name in _names(mark.args[0])}
    named = {FIXTURES[name] for name in names if name in FIXTURES}
    libraries = named or set(metafunc.config.stash[CHOSEN])
    for fixture, forms in (
        ("backend", BACKENDS),
        ("library", tuple(map(plain, LIBRARIES))),
    ):
        if fixture not in names:
            continue
        wanted = metafunc.definition.get_closest_marker("forms")
        sets = [
            form
            for form in forms
            if form.library in libraries and _is_wanted(form, wanted)
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
    return form.id in forms.args or "all" in forms.args


def _names(argnames: str | Sequence[str]) -> Sequence[str]:
    return argnames.split(",") if isinstance(argnames, str) else argnames


def apart(forms: list[Backend]) -> list[Backend]:
    """Return the first of all forms that have the same dtypes."""
    first: dict[object, Backend] = {}
    for form in forms:
        first.setdefault((form.library, form.default, form.dtypes), form)
    return list(first.values())


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests of libraries that were not chosen; mark failures."""
    kept: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        names = getattr(item, "fixturenames", ())
        needed = {FIXTURES[name] for name in names if name in FIXTURES}
        # No form at all, of a library or with a kind of dtype: pytest would skip it.
        empty = "NOTSET" in item.name
        kept[needed <= set(config.stash[CHOSEN]) and not empty].append(item)
        for (form, name), reason in EXPECTED_FAILURES.items():
            if item.name.startswith(name) and f"[{form}" in item.name:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
    if kept[False]:
        config.hook.pytest_deselected(items=kept[False])
    items[:] = kept[True]


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return one form of one array library, set up for the time of a test."""
    with request.param.active():
        yield request.param


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Return an array library in its plain form, set up for the time of a test."""
    with request.param.active():
        yield request.param


def _module_fixture(library: str) -> object:
    @pytest.fixture(name=library.replace("-", "_"))
    def module() -> ModuleType:
        return importlib.import_module(LIBRARIES[library].partition(".")[0])

    return module


for _library in LIBRARIES:
    globals()[_library.replace("-", "_")] = _module_fixture(_library)
