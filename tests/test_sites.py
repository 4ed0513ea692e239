"""What runs other people's tests: `nox -s sites` does, for minutes each."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.peers

FOLDER = Path(__file__).parent / "sites"
MODULE = """
def slope(f):
    \"\"\"Return it.\"\"\"
    return np.gradient(f)

class Field:
    def slopes(self, f):
        padded = pad(f)
        return np.gradient(padded)[1:-1]
"""


@pytest.fixture(scope="module")
def run() -> Any:
    spec = importlib.util.spec_from_file_location("sites_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_site_is_pinned_once_and_has_calls(run: Any) -> None:
    """Two pins of one library would have to agree, on every Python."""
    files = [FOLDER.parents[1] / f"constraints{name}.txt" for name in ("", "-tools")]
    lines = "".join(file.read_text(encoding="utf-8") for file in files)
    constrained = set(re.findall(r"^([\w-]+)==", lines, re.MULTILINE))
    assert len(run.SITES) >= 8
    for name, site in run.SITES.items():
        package, *others = site["requires"]
        assert re.fullmatch(r"[\w\[\]-]+==[\w.]+", package)
        for other in others:
            library, _, pinned = other.partition("==")
            assert bool(pinned) != (library.partition("[")[0] in constrained), other
        assert site["tests"], name
        for call in site["calls"]:
            assert {"old", "body_of"} & set(call), call
            assert call["new"] != call.get("old"), call


def test_a_call_is_replaced_as_often_as_it_is_said_to_be_there(run: Any) -> None:
    call = {"module": "m", "old": "np.gradient(f)", "new": "anygrad.gradient(f)[0]"}
    edited = run.replaced(MODULE, call)
    assert "    return anygrad.gradient(f)[0]\n" in edited
    assert edited.count("np.gradient") == 1
    for times in (2, 3):
        with pytest.raises(ValueError, match="is there 1 times in m"):
            run.replaced(MODULE, {**call, "times": times})


def test_the_body_of_a_method_is_replaced(run: Any) -> None:
    new = "boundary = 'periodic'\nreturn anygrad.derivative(f, boundary=boundary)\n"
    call = {"module": "m", "body_of": "Field.slopes", "new": new}
    edited = run.replaced(MODULE, call)
    assert "pad(f)" not in edited
    found: dict[str, Any] = {"anygrad": Recorder()}
    exec(edited, found)
    assert found["Field"]().slopes(3) == ((3,), {"boundary": "periodic"})


class Recorder:
    def derivative(self, *args: Any, **keywords: Any) -> Any:
        return args, keywords


def test_what_counts_as_a_difference(run: Any) -> None:
    """What fails anyway, what fails now, and what is wrongly said to do so."""
    before = {"a": "passed", "b": "passed", "c": "failed", "d": "skipped"}
    after = {"a": "passed", "b": "failed", "c": "failed", "d": "skipped"}
    assert run.differences(before, before | {"c": "passed"}, {}) == ["c fails as it is"]
    assert "b: passed -> failed" in run.differences(before, after, {})
    known = run.differences(before, after, {"b": "reason", "a": "reason"})
    assert "b: passed -> failed" not in known
    assert "a passes, and is said not to" in known
    assert run.differences({}, {}, {}) == ["no test was found, or not the same ones"]
