"""The measured figures in `benchmarks/figures.md`, as tables and as plots.

`conf.py` reads the tables from here.  ``python docs/figures.py`` draws the plots into
`docs/_static/benchmarks`, for light pages and for dark ones; it needs matplotlib.
"""

import math
import statistics
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from tables import cells, table

ROOT = Path(__file__).parent.parent
MEASURED = ROOT / "benchmarks" / "figures.md"
REASONS = ROOT / "benchmarks" / "reasons.toml"
DRAWN = Path(__file__).parent / "_static" / "benchmarks"

#: The library's own gradient, in the words of the table.
OWN = {
    "numpy": "numpy.gradient",
    "torch": "torch.gradient",
    "jax": "jax.numpy.gradient",
    "dask": "dask.array.gradient",
}


class Figure(NamedTuple):
    """One row of the table: a kind of work, a ratio, and what it was to be."""

    work: str
    ratio: str
    median: float
    runs: str
    target: str

    @property
    def library(self):
        """The library that did the work; none for the import."""
        return self.work.partition(", ")[0]

    @property
    def missed(self):
        """Whether there is a target and it is missed, as shown to two digits."""
        sign, _, bound = self.target.partition(" ")
        if not sign:
            return False
        return self.median > float(bound) if sign == "≤" else self.median < float(bound)


def measured():
    """Return what the figures were measured on, and the figures."""
    machine, _, rest = MEASURED.read_text(encoding="utf-8").partition("\n")
    rows = [cells(line) for line in rest.strip().splitlines()[2:]]
    return machine, [Figure(a, b, float(c), d, e) for a, b, c, d, e, _ in rows]


def against_own(library, figures):
    """Return the figures that say how many times faster than the library's own."""
    return [f for f in figures if f.ratio == f"{OWN[library]} / time"]


def of_library(library):
    """Return the table of all figures of a library, or of what is about none."""
    _, figures = measured()
    rows = [
        [f.work.partition(", ")[2] or f.work, f.ratio, f"{f.median:.2f}", f.runs]
        for f in figures
        if (f.library if f.library in OWN else "other") == library
    ]
    return table(["work", "ratio", "median", "runs"], rows)


def summary():
    """Return the table of how many times faster `anygrad` is, for each library."""
    _, figures = measured()
    rows = []
    for library, own in OWN.items():
        times = sorted(f.median for f in against_own(library, figures))
        middle = f"{statistics.median(times):.1f}"
        ends = f"{times[0]:.1f} to {times[-1]:.1f}"
        behind = sum(time < 1 for time in times)
        rows.append([f"`{own}`", middle, ends, f"{behind} of {len(times)}"])
    return table(["its time over ours", "median", "all rows", "behind"], rows)


def reasons():
    """Return the words of a row that each reason is about, and the reason."""
    listed = tomllib.loads(REASONS.read_text(encoding="utf-8"))["reason"]
    return [(entry["words"], entry["why"]) for entry in listed]


def reason(figure):
    """Return the first reason that is about a figure, or None."""
    name = f"{figure.work}; {figure.ratio}"
    found = (why for words, why in reasons() if all(word in name for word in words))
    return next(found, None)


def missed():
    """Return the table of missed targets, with the reason of each."""
    _, figures = measured()
    groups = {}
    for figure in figures:
        if figure.missed:
            groups.setdefault(reason(figure), []).append(figure)
    rows = []
    for why, group in groups.items():
        for place, figure in enumerate(group):
            said = f"{figure.median:.2f}, {figure.target}"
            rows.append([figure.work, figure.ratio, said, "the same" if place else why])
    return table(["work", "ratio", "median, target", "reason"], rows)


# Plots.


def draw_summary(figure):
    """Draw each row as a point, on a line for each library."""
    _, figures = measured()
    axes = figure.subplots()
    for place, library in enumerate(reversed(OWN)):
        times = [f.median for f in against_own(library, figures)]
        axes.plot(
            times, [place] * len(times), "o", color="C3", alpha=0.45, markersize=8
        )
        middle = statistics.median(times)
        axes.plot(middle, place, "|", color="C2", markersize=24, markeredgewidth=3)
        text = {"color": "C2", "horizontalalignment": "center", "fontsize": 11}
        axes.text(middle, place + 0.36, f"{middle:.1f}", **text)
    axes.set_yticks(range(len(OWN)), [*reversed(OWN.values())], fontsize=11)
    axes.set_ylim(-0.5, len(OWN) - 0.35)
    finish(axes, "Times as long as anygrad", [0.5, 1, 2, 4, 8, 16])
    each = "each point is a kind of work, the mark their median"
    axes.set_xlabel(f"{each}; above 1, anygrad is faster")


def draw_library(library):
    """Return what draws the rows of a library, one line each."""

    def draw(figure):
        _, figures = measured()
        own = {f.work: f.median for f in against_own(library, figures)}
        floor = {f.work: f.median for f in figures if f.ratio == "time / floor"}
        floors = [floor.get(work, math.nan) for work in reversed(own)]
        works = [*reversed(own)]
        left, *right = figure.subplots(
            1, 1 if all(map(math.isnan, floors)) else 2, sharey=True, squeeze=False
        )[0]
        bars(left, [own[work] for work in works], "C3")
        finish(left, f"{OWN[library]} over anygrad", [0.5, 1, 2, 4, 8])
        left.set_yticks(range(len(works)), [w.partition(", ")[2] for w in works])
        for axes in right:
            bars(axes, floors, "C1")
            finish(axes, "anygrad over the floor: a copy", [1, 2, 4, 8])
        left.set_ylim(-0.7, len(works) - 0.3)

    return draw


def bars(axes, values, colour):
    """Draw a bar from 1 to each value, with the value at its end."""
    for place, value in enumerate(values):
        if math.isnan(value):
            continue
        axes.plot([1, value], [place, place], color=colour, lw=5, solid_capstyle="butt")
        side = "left" if value >= 1 else "right"
        shift = 3 if value >= 1 else -3
        axes.annotate(
            f"{value:.2f}",
            (value, place),
            xytext=(shift, 0),
            textcoords="offset points",
            horizontalalignment=side,
            verticalalignment="center",
            fontsize=8,
        )


def finish(axes, title, ticks):
    """Give a plot its logarithmic scale and the line of equal times."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.minorticks_off()
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlim(min(low, 0.8) / 1.25, max(high, 1.5) * 1.25)
    axes.axvline(1, color="C0", lw=1)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.tick_params(labelsize=9, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def plots():
    """Return the size of each plot in inches, and what draws it."""
    _, figures = measured()
    found = {"summary": ((8.0, 2.9), draw_summary)}
    for library in OWN:
        height = 1.0 + 0.23 * len(against_own(library, figures))
        found[library] = (9.5, height), draw_library(library)
    return found


def main(folder=DRAWN):
    """Draw all plots; return the exit status."""
    sys.path.insert(0, str(ROOT / "examples"))
    import looks

    for name, (size, draw) in plots().items():
        for path in looks.in_both_styles(name, size, draw, folder):
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
