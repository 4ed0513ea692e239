"""The docstrings of the public functions: each in full, and none tells another tale."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import anygrad

DOCS = Path(__file__).parent.parent / "docs"


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("keywords", DOCS / "keywords.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


keywords = _script()

#: What counts threads and what prints shares no keywords.
OTHERS = {
    "get_compiler",
    "get_workers",
    "set_compiler",
    "set_default_compiler",
    "set_default_workers",
    "set_workers",
    "show_versions",
}

doors = pytest.mark.parametrize("door", keywords.DOORS)


def test_every_public_function_is_in_the_table() -> None:
    assert set(keywords.DOORS) == set(anygrad.__all__) - OTHERS - {"__version__"}


def test_every_entry_of_the_table_is_read() -> None:
    """An entry stands for parameters that exist, a phrase in a text that exists."""
    for row in keywords.TABLE["parameter"]:
        for door in row["of"]:
            assert row["name"] in inspect.signature(getattr(anygrad, door)).parameters
    texts = str(keywords.TABLE)
    for phrase in keywords.TABLE["phrases"]:
        assert f"{{{phrase}}}" in texts


@doors
def test_the_docstring_says_what_the_table_says(door: str) -> None:
    """`python docs/keywords.py` writes it anew."""
    assert keywords.found(getattr(anygrad, door).__doc__) == keywords.sections(door)


@doors
def test_the_docstring_says_what_the_signature_says(door: str) -> None:
    """The same parameters, in the same order, with the same defaults."""
    told = dict(re.findall(r"^(\w+) : (.*)$", _of_parameters(door), re.MULTILINE))
    signature = inspect.signature(getattr(anygrad, door))
    assert list(told) == list(signature.parameters)
    for name, parameter in signature.parameters.items():
        words, _, default = told[name].partition("default: ")
        if parameter.default is parameter.empty:
            assert "default" not in told[name]
            continue
        assert repr(ast.literal_eval(default)) == repr(parameter.default)
        assert ("None" in words) == _may_be_none(parameter.annotation)


def _of_parameters(door: str) -> str:
    text = keywords.found(getattr(anygrad, door).__doc__)
    return str(text.partition("\n\nReturns\n")[0])


def _may_be_none(annotation: Any) -> bool:
    return "None" in str(annotation)


@doors
def test_no_docstring_sends_its_reader_to_another(door: str) -> None:
    """Not for what a parameter means, nor for what is raised."""
    text = " ".join(keywords.sections(door).split())
    for name in keywords.DOORS:
        assert not re.search(rf"\b(as|of|in|see) `{name}`", text, re.IGNORECASE)


def test_a_docstring_that_differs_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The script names it with `--check`, and mends it without."""
    source = tmp_path / "doors.py"
    path = inspect.getsourcefile(anygrad.laplacian)
    assert path is not None
    another = inspect.getsource(anygrad.hessian)
    right = Path(path).read_text(encoding="utf-8") + "\n\n" + another
    wrong = right.replace("The samples.", "The field.").replace("If both", "If never")
    assert wrong != right
    source.write_text(wrong, encoding="utf-8")
    door = _function_in(source, "laplacian")
    monkeypatch.setattr(anygrad, "laplacian", door)
    monkeypatch.setattr(keywords.inspect, "getsourcefile", lambda _: str(source))
    monkeypatch.setattr("sys.argv", ["keywords.py", "--check"])
    assert keywords.main() == "other docstrings than in docs/keywords.toml: laplacian"
    assert source.read_text(encoding="utf-8") == wrong
    monkeypatch.setattr("sys.argv", ["keywords.py"])
    assert keywords.main() == 0
    hessian = right.index("def hessian")
    mended = source.read_text(encoding="utf-8")
    assert mended.startswith(right[:hessian])
    assert mended.endswith(wrong[wrong.index("def hessian") :])


@pytest.mark.parametrize("name", ["anygrad", "anygrad.testing", "anygrad.xarray"])
def test_help_fits_a_terminal(name: str) -> None:
    """In 80 columns, with the four blanks that `help` puts before each line."""
    if name == "anygrad.xarray":
        pytest.importorskip("xarray")
    module = importlib.import_module(name)
    public = [module, *(getattr(module, word) for word in module.__all__)]
    told = "\n".join(inspect.getdoc(item) or "" for item in public).splitlines()
    assert [line for line in told if len(line) > 76] == []


@pytest.mark.parametrize("name", ["anygrad", "anygrad.testing", "anygrad.xarray"])
def test_hints_can_be_read(name: str) -> None:
    """By what looks at them when a program runs: checkers of calls, makers of forms."""
    if name == "anygrad.xarray":
        pytest.importorskip("xarray")
    module = importlib.import_module(name)
    doors = [getattr(module, word) for word in module.__all__]
    for door in filter(inspect.isfunction, doors):
        hints = typing.get_type_hints(door)
        assert hints.keys() - {"return"} <= inspect.signature(door).parameters.keys()
        assert "return" in hints


def _function_in(path: Path, name: str) -> Any:
    """Return a function of a file of this package that has been copied elsewhere."""
    names: dict[str, Any] = {"__name__": "anygrad.copy", "__package__": "anygrad"}
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)
    return names[name]
