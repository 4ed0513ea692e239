"""What the three sizes of a run leave out, and what they never do."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

ARGUMENTS = {"order": (1, 2, 3, 4), "grid": "abc", "edge": "xy"}
CASES = {
    number: list(zip(ARGUMENTS, values, strict=True))
    for number, values in enumerate(itertools.product(*ARGUMENTS.values()))
}


@pytest.fixture
def conftest(pytestconfig: pytest.Config) -> Any:
    return pytestconfig.pluginmanager.get_plugin(str(CONFTEST))


@pytest.mark.parametrize(("together", "most"), [(0, 1), (1, 4), (2, 14), (3, 24)])
def test_values_that_occur_together(conftest: Any, together: int, most: int) -> None:
    """All that there are, in not many more cases than it takes."""
    kept = list(conftest.covering(CASES, together))
    assert 0 < len(kept) <= most
    assert len(set(kept)) == len(kept)

    def seen(numbers: Any) -> set[Any]:
        groups = (itertools.combinations(CASES[n], together) for n in numbers)
        return set(itertools.chain.from_iterable(groups))

    assert seen(kept) == seen(CASES)


def test_a_test_without_arguments_is_kept(conftest: Any) -> None:
    for together in (0, 1, 2):
        assert list(conftest.covering({"the only one": []}, together))


def test_far_along(
    conftest: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line now and then, and at once where a test fails."""
    monkeypatch.setenv("NOX_CURRENT_SESSION", "tests(numpy)")
    file = tmp_path / "progress"
    progress = conftest.Progress(file)
    progress.total = 3

    def report(outcome: str) -> None:
        for when in ("setup", "call", "teardown"):
            failed = outcome == "failed" and when == "call"
            told = pytest.TestReport(
                nodeid="a test",
                location=("a file", 1, "a test"),
                keywords={},
                outcome="failed" if failed else "passed",
                longrepr=None,
                when=when,
            )
            progress.pytest_runtest_logreport(told)

    report("passed")
    assert not file.exists()
    report("failed")
    assert file.read_text(encoding="utf-8").startswith(
        "tests(numpy): 1 of 3 tests, 1 failed, "
    )
    monkeypatch.setattr(progress, "EVERY", -1)
    report("passed")
    assert "\ntests(numpy): 3 of 3 tests, 1 failed, " in file.read_text("utf-8")
