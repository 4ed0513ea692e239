"""The package as a whole: what importing it loads, what it shows, what it prints."""

from __future__ import annotations

import doctest
import importlib.metadata
import io
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import anygrad
from anygrad import _dispatch, _libraries
from backends import LIBRARIES, Backend

#: The packages that must not be loaded for nothing.
PACKAGES = tuple({module.partition(".")[0] for module in LIBRARIES.values()})

PRELUDE = f"""
import sys
PACKAGES = {PACKAGES!r}
def loaded():
    return sorted(name for name in PACKAGES if name in sys.modules)
"""

ABSENT = """
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def run(code: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    tests = str(Path(__file__).parent)
    code = f"{PRELUDE}\nsys.path.insert(0, {tests!r})\n{code}"
    # torch says that it has no NumPy, which is how it is tested.
    allowed = "ignore:Failed to initialize NumPy:UserWarning"
    command = [sys.executable, "-W", "error", "-W", allowed, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


# What is loaded.


def test_importing_loads_no_array_library() -> None:
    assert run("import anygrad; print(loaded())") == "[]\n"


@pytest.mark.parametrize("name", ["xarray", "testing"])
def test_what_has_a_name_of_its_own(name: str) -> None:
    """Messages send people to `anygrad.xarray`, and `import anygrad` is not enough."""
    wanted = (
        f"module 'anygrad' has no attribute '{name}'. Import it by its own name: "
        f"`import anygrad.{name}`."
    )
    code = f"""
import anygrad
try:
    anygrad.{name}
except AttributeError as error:
    print(error, loaded())
"""
    assert run(code) == f"{wanted} []\n"


def test_the_public_suite_loads_no_array_library() -> None:
    """Nor pytest: it is for those who have it."""
    out = run("import anygrad.testing; print(loaded(), 'pytest' in sys.modules)")
    assert out == "[] False\n"


def test_importing_loads_little() -> None:
    """Beyond array-api-compat: ourselves, and a few small modules of Python's own."""
    out = run(
        "import array_api_compat; before = set(sys.modules)\n"
        "import anygrad\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - {'anygrad'}))"
    )
    heavy = {"asyncio", "concurrent", "importlib", "email", "platform", "subprocess"}
    assert not heavy & set(out.split())


def test_using_a_library_loads_no_other(library: Backend) -> None:
    """Nor does it load anything of it that its user has not loaded."""
    prepare = "import cupy_on_cpu as c; c.gpu_present() or c.install()\n"
    out = run(
        (prepare if library.library == "cupy" else "")
        + f"from backends import plain\nbackend = plain({library.option!r})\n"
        "with backend.active():\n"
        "    f, x = backend.asarray([0, 1, 4, 9]), backend.asarray([0, 1, 2, 3])\n"
        "    backend.tolist(f + x)\n"
        "    before = loaded()\n"
        "    import anygrad\n"
        "    for spacing in (1, [x]):\n"
        "        (result,) = anygrad.gradient(f, spacing=spacing)\n"
        "    after = loaded()\n"
        "    print(backend.tolist(result), before == after)\n"
    )
    assert out == "[1.0, 2.0, 4.0, 5.0] True\n"


def test_without_any_library() -> None:
    """Importing works, and whatever is no array is refused politely."""
    out = run(
        ABSENT + "import anygrad\n"
        "for value in ([1.0, 2.0], 3.0):\n"
        "    try:\n"
        "        anygrad.gradient(value)\n"
        "    except TypeError as error:\n"
        "        print(error)\n"
        "print(loaded())"
    )
    message = (
        "`input` must be an array of a library that follows the array API standard. "
        "Got {}. Convert it first, e.g. with `numpy.asarray`.\n"
    )
    assert out == "".join(map(message.format, ["list", "float"])) + "[]\n"


def test_in_a_sub_interpreter() -> None:
    """One with a lock of its own, where NumPy cannot be imported."""
    pytest.importorskip("_interpreters", reason="comes with Python 3.13")
    run(
        "import _interpreters\n"
        "code = '''\n"
        "import anygrad\n"
        "try:\n"
        "    anygrad.gradient([1.0])\n"
        "except TypeError as error:\n"
        "    assert str(error).startswith('`input`')\n"
        "'''\n"
        "interpreter = _interpreters.create()\n"
        "failure = _interpreters.run_string(interpreter, code)\n"
        "_interpreters.destroy(interpreter)\n"
        "assert failure is None, failure.msg\n"
    )


# What is shown.


def test_public_names() -> None:
    """All that is public is in `__all__`, and nothing else is."""
    assert sorted(anygrad.__all__) == anygrad.__all__
    public = {name for name in dir(anygrad) if not name.startswith("_")}
    public -= {"testing", "xarray"}  # modules, loaded by those who import them
    assert public | {"__version__"} == set(anygrad.__all__)
    for name in public:
        assert getattr(anygrad, name).__module__ == "anygrad"
        assert getattr(anygrad, name).__doc__


def test_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", anygrad.__version__)
    try:
        installed = importlib.metadata.version("anygrad-array")
    except importlib.metadata.PackageNotFoundError:
        return  # run from the source tree
    assert installed == anygrad.__version__


def test_types_are_shipped() -> None:
    assert (Path(anygrad.__file__).parent / "py.typed").exists()


def test_help_tells_what_there_is() -> None:
    """Each function that differentiates, in the order of need, and pages that exist."""
    text = pydoc.render_doc(anygrad, renderer=pydoc.plaintext)
    story = text.partition("PACKAGE CONTENTS")[0]
    listed = re.findall(r"^    ([a-z_, ]+)\n {8}\S", story, re.MULTILINE)
    named = ", ".join(listed).split(", ")
    assert named[:2] == ["gradient", "derivative"]
    differentiating = {
        name
        for name in anygrad.__all__
        if not re.search(
            "workers|version|compiler", name
        )  # these only serve the others
    }
    assert set(named) == differentiating
    assert len(named) == len(differentiating)
    pages = re.findall(r"`((?:docs/)?\w+\.md)`", story)
    docs = Path(__file__).parent.parent / "docs"
    for page in pages:
        name = page.removeprefix("docs/")
        assert (docs / name).is_file() or (docs / "guide" / name).is_file()
    assert len(pages) == 5


def test_the_example_of_help_is_right(numpy: Any) -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(anygrad, "anygrad")
    assert doctest.DocTestRunner(verbose=False).run(example) == (0, 5)


# What is printed.


def test_show_versions() -> None:
    """A line for every library of the table, whether installed or not."""
    file = io.StringIO()
    anygrad.show_versions(file)
    out = file.getvalue()
    assert out.startswith(f"anygrad {anygrad.__version__}\narray-api-compat ")
    for library in LIBRARIES:
        assert re.search(rf"^{library}\s", out, re.MULTILINE)


def test_arrays_find_their_row(backend: Backend) -> None:
    """By the very class of the library; one that nobody knows has a row of all such."""
    array = backend.asarray([1.0])
    row = _libraries.library_of(array)
    if backend.id == "toy":
        assert row is _libraries.UNNAMED
        return
    assert row.name == backend.library
    executor = _dispatch.samples_of(array, "input").executor
    assert executor is _dispatch.EXECUTORS[row.name]().exact


def test_show_versions_of_a_library(library: Backend) -> None:
    """It is found, and computes the worked examples."""
    library.asarray([0.0])  # as whoever asks has it imported
    file = io.StringIO()
    anygrad.show_versions(file)
    (line,) = [
        line
        for line in file.getvalue().splitlines()
        if line.startswith(f"{library.library} ")
    ]
    assert line.endswith(" works")
    assert importlib.metadata.version("array-api-compat") in file.getvalue()


def test_show_versions_of_a_broken_library(
    library: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that is there and cannot be used is reported, and stops nothing."""
    from anygrad import _reports

    def fail(*_: Any, **__: Any) -> None:
        msg = "no driver"
        raise RuntimeError(msg)

    monkeypatch.setattr(_reports._dispatch, "samples_of", fail)
    file = io.StringIO()
    anygrad.show_versions(file)
    assert "cannot be used here: RuntimeError: no driver" in file.getvalue()
