"""Each formula converges at the order that is promised, and the page says so."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import anygrad
import convergence
from backends import Backend
from convergence import ACCURACIES, GRIDS, ORDERS

ROOT = Path(__file__).parent.parent

#: How far a measured order may lie below the promised one.
LESS = 0.1

# In numbers of Python's own: the same wherever they run.
once = pytest.mark.once

KINDS = [(order, accuracy) for order in ORDERS for accuracy in ACCURACIES]


@once
@pytest.mark.cover(1)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("order", "accuracy"), KINDS)
def test_one_sided(numpy: Any, order: int, accuracy: int, grid: str) -> None:
    """The interior, the first point, and all between, for every `edge_order`."""
    for edge_order in range(1, accuracy + 1):
        *edge, inside = convergence.one_sided(grid, order, accuracy, edge_order)
        # On uneven steps, even derivatives read a point more at either side.
        gain = (
            0 if grid == "uniform" or order % 2 else {"random": 1, "stretched": 2}[grid]
        )
        assert inside == pytest.approx(accuracy + gain, abs=LESS)
        if edge:
            assert edge[0] == pytest.approx(edge_order, abs=LESS)
            assert min(edge) > edge_order - LESS


@once
@pytest.mark.cover(1)
@pytest.mark.parametrize("mode", ["reflect", "symmetric", "edge", 1.0])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("order", "accuracy"), KINDS)
def test_ghosts(numpy: Any, order: int, accuracy: int, grid: str, mode: Any) -> None:
    """No row at an edge is worse than promised, on data that have such ghosts."""
    measured = convergence.with_ghosts(grid, order, accuracy, mode)
    if math.isnan(measured):  # no error at all
        assert (order, accuracy, mode) == (1, 2, "reflect")
    else:
        assert measured > accuracy - LESS


@once
@pytest.mark.cover(1)
@pytest.mark.parametrize("grid", ["uniform", "random"])
@pytest.mark.parametrize(("order", "accuracy"), KINDS)
def test_periodic(numpy: Any, order: int, accuracy: int, grid: str) -> None:
    gain = grid == "random" and order % 2 == 0
    measured = convergence.periodic(grid, order, accuracy)
    assert measured == pytest.approx(accuracy + gain, abs=LESS)


@once
@pytest.mark.parametrize("order", ORDERS)
def test_ghosts_that_the_data_do_not_have(numpy: Any, order: int) -> None:
    """An order is lost per derivative, and the page says so."""
    for mode, lost in (("reflect", order - 1), ("edge", order - 1), (0.0, order)):
        measured = convergence.at_the_edge(
            convergence.EXPONENTIAL, "uniform", order, 4, mode
        )
        assert measured == pytest.approx(-lost, abs=LESS)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(
    ("order", "accuracy", "edge_order"), [(1, 2, 1), (1, 2, 2), (1, 4, 2), (2, 2, 2)]
)
def test_on_every_library(
    library: Backend, order: int, accuracy: int, edge_order: int, grid: str
) -> None:
    """In the arithmetic of the library, on steps whose rounding leaves two digits."""
    exponents = (2, 3, 4) if library.real == "float32" else (4, 5, 6)
    steps = [2.0**-k for k in exponents]
    first, inside = [], []
    for step in steps:
        x = [
            float(a) for a in convergence.positions(grid, 12, convergence.Decimal(step))
        ]
        x = [a - x[6] for a in x]
        f = library.asarray([math.exp(a) for a in x])
        spacing = step if grid == "uniform" else library.asarray(x)
        result = anygrad.derivative(
            f, spacing=spacing, order=order, accuracy=accuracy, edge_order=edge_order
        )
        got = library.tolist(result)
        relative = [abs(a / math.exp(b) - 1) for a, b in zip(got, x, strict=True)]
        first.append(relative[0])
        inside.append(relative[6])
    assert convergence.slope(steps, first) > edge_order - 0.4
    assert convergence.slope(steps, inside) > accuracy - 0.4


@pytest.mark.peers
@pytest.mark.parametrize(
    "orders", [["2"], pytest.param([], marks=pytest.mark.full, id="all")], ids=" ".join
)
def test_the_page_says_what_is_measured(orders: list[str]) -> None:
    """`python docs/convergence.py` makes it anew."""
    script = [sys.executable, "docs/convergence.py", "--check", *orders]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is shown; what others measure may be off by a bound."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    tables = importlib.import_module("tables")
    page = ["| order | ours | theirs |", "| 1 | 2.0 | 2.1 |", "| 2 | 4.0 | – |"]
    made = ["| order | ours | theirs |", "| 1 | 2.0 | 2.9 |", "| 2 | 4.1 | – |"]
    (shown,) = tables.compared(page, made, {"theirs": 1.0})
    assert shown == f"on the page: {page[2]}\nmeasured:    {made[2]}\n"
    assert len(list(tables.compared(page, made, {}))) == 2
