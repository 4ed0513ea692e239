"""`python -m anygrad.testing`: which promises it says to be broken, and its status."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from anygrad import _libraries, testing
from anygrad.testing import __main__ as promises
from backends import Backend
from commands import status_of


def test_the_promises(numpy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is told in words; what breaks it has a line of its own, with the check."""
    assert promises.main(["numpy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line[16:] for line in lines[:-1] if not line.startswith(" ")]
    assert told == [check.__doc__ for check in testing.checks]
    assert promises.main(["numpy", "--gradient", "numpy"]) == 1
    (promise,) = [
        c.__doc__ for c in testing.checks if c.__name__ == "check_large_steps"
    ]
    told = f"broken          {promise}\n{'':16}check_large_steps: 0.0 where "
    assert told in capsys.readouterr().out


def test_the_broken_promises_only(
    numpy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promises.main(["numpy", "--broken"]) == 0
    (last,) = capsys.readouterr().out.splitlines()
    assert last.startswith(f"{len(testing.checks) - last_of(last)} kept, ")
    assert promises.main(["numpy", "--gradient", "numpy", "--broken"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    heads, reasons = lines[::2], lines[1::2]
    assert all(line.startswith("broken  ") for line in heads)
    assert all(line.startswith(" " * 16 + "check_") for line in reasons)
    assert f"{len(heads)} broken" in last


def last_of(summary: str) -> int:
    """Return how many promises do not apply."""
    return int(summary.rpartition(", ")[2].partition(" ")[0])


def test_the_functions_of_a_module(
    numpy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = ["numpy", "--gradient", "anygrad:gradient"]
    assert promises.main(alone) == 0
    assert "there is no function curl" in capsys.readouterr().out
    assert promises.main([*alone, "--functions", "anygrad"]) == 0
    assert "there is no function" not in capsys.readouterr().out


def test_libraries_by_their_names(
    library: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name means the module in which arrays are made."""
    (row,) = (row for row in _libraries.TABLE if row.name == library.library)
    given = []

    def run_checks(_: Any, xp: Any, **__: Any) -> list[testing.Verdict]:
        given.append(xp)
        return []

    monkeypatch.setattr(promises, "run_checks", run_checks)
    for name in (row.name, row.namespace):
        assert promises.main([name]) == 0
    assert given == [sys.modules[row.namespace]] * 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("no_such_module", "no_such_module is not installed: there is no module"),
        ("no_such_module.part", "no_such_module is not installed: there is no module"),
        ("json.part", "json.part cannot be imported here: ModuleNotFoundError: "),
        (".", ". cannot be imported here: TypeError: "),
        ("json", "json makes no arrays: it has no function asarray."),
        ("numpy --gradient julia", "--gradient must be one of anygrad, numpy, torch"),
        ("numpy --gradient json:lost", "json has no function lost."),
        ("numpy --gradient json:__name__", "json has no function __name__."),
        ("numpy --gradient lost:f", "lost is not installed: there is no module"),
        ("numpy --functions lost", "lost is not installed: there is no module"),
        ("numpy --brok", "unrecognized arguments: --brok"),
        ("", "the following arguments are required: NAMESPACE"),
    ],
)
def test_what_cannot_be_held_to_promises(
    capsys: pytest.CaptureFixture[str], arguments: str, sentence: str
) -> None:
    assert status_of(promises.main, *arguments.split()) == 2
    told = capsys.readouterr()
    assert f"python -m anygrad.testing: error: {sentence}" in told.err
    assert not told.out


@pytest.mark.parametrize("place", ["gradient_of", "functions_of"])
def test_an_adapter_whose_library_is_missing(
    numpy: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    def fail(_: str) -> None:
        msg = "No module named 'numpy'"
        raise ModuleNotFoundError(msg)

    monkeypatch.setattr(promises, place, fail)
    assert status_of(promises.main, "numpy", "--gradient", "numpy") == 2
    err = capsys.readouterr().err
    assert "of numpy cannot be used here: ModuleNotFoundError: No module named" in err
