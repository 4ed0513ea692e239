"""The tables of measured orders in `guide/accuracy.md`.

``python docs/convergence.py`` measures and writes the tables; with ``--check``, it only
compares and prints the rows that differ, those of one order with ``--check 2``.  How it
measures is written in `tests/convergence.py`.  It needs NumPy and
findiff, and takes a minute.
"""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from tables import chosen, rewrite, table

import convergence
from convergence import ACCURACIES, EXPONENTIAL, GRIDS, OFF, ORDERS

PAGE = Path(__file__).parent / "guide" / "accuracy.md"

#: findiff's orders are measured in float64: other processors round differently.
BOUNDS = {"findiff, random": 1.0}


def shown(order):
    """Return a measured order with one digit; without an error, there is none."""
    return "exact" if math.isnan(order) else f"{round(order, 1) + 0.0:.1f}"


def measured_orders():
    """Return the orders of the rows: all, or those that the command line names."""
    return [order for order in ORDERS if str(order) in (chosen() or map(str, ORDERS))]


def inside():
    """Return the table of the interior and of boundaries with ghosts."""
    header = ["order", "`accuracy`", *GRIDS, "periodic", "periodic, random"]
    header += ["reflect", "symmetric", "constant", "findiff, random"]
    rows = []
    for order in measured_orders():
        for p in ACCURACIES:
            measured = [convergence.one_sided(grid, order, p, p)[-1] for grid in GRIDS]
            measured += [
                convergence.periodic(grid, order, p) for grid in ("uniform", "random")
            ]
            measured += [with_ghosts(order, p, m) for m in ("reflect", "symmetric", 1)]
            peer = shown(by_findiff(order, p)) if p <= 4 else "–"
            rows.append([str(order), str(p), *map(shown, measured), peer])
    return table(header, rows)


def with_ghosts(order, accuracy, mode):
    """Return the lowest order of all grids."""
    return min(convergence.with_ghosts(grid, order, accuracy, mode) for grid in GRIDS)


def by_findiff(order, accuracy):
    """Return the order that findiff shows on random coordinates, in float64."""
    import findiff
    import numpy as np

    steps = [2.0**-k for k in range(4 - order // 2, 8 - order // 2)]
    off = np.asarray([float(a) for a in OFF])
    errors = []
    for step in steps:
        x = (np.arange(off.size) + off) * step
        x -= x[off.size // 2]
        result = (findiff.Diff(0, x, acc=accuracy) ** order)(np.exp(x))
        middle = slice(off.size // 2 - 4, off.size // 2 + 5)
        errors.append(np.max(np.abs(result - np.exp(x))[middle]))
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def edges():
    """Return the table of one-sided edges: the lowest order of all grids and rows."""
    most = max(ACCURACIES)
    numbers = range(1, most + 1)
    rows = []
    for order in measured_orders():
        found = [
            min(min(convergence.one_sided(grid, order, most, edge)) for grid in GRIDS)
            for edge in numbers
        ]
        rows.append([str(order), *map(shown, found)])
    return table(["order", *map(str, numbers)], rows)


def wrong():
    """Return the table of ghosts that the data do not have."""
    rows = []
    for order in measured_orders():
        found = [
            convergence.at_the_edge(EXPONENTIAL, "uniform", order, 2, mode)
            for mode in ("reflect", "edge", 0.0)
        ]
        rows.append([str(order), *map(shown, found)])
    return table(["order", '`"reflect"`', '`"edge"`', "a number"], rows)


def main():
    """Write the tables, or compare them; return 1 where they are others."""
    return rewrite(PAGE, {"inside": inside, "edges": edges, "wrong": wrong}, BOUNDS)


if __name__ == "__main__":
    sys.exit(main())
