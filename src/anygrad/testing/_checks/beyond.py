"""Arrays beyond the ends of a dim, ghosts that are given, and dims of few points."""

from __future__ import annotations

from typing import Any

from ...testing import _abilities, _formulas, _oracle
from ...testing._arrays import (
    Gradient,
    array,
    need_keyword,
    only,
    real,
    require_dtype,
    require_numbers,
)
from ...testing._checks.boundaries import PERIOD, need_boundary
from ...testing._checks.grids import COORDINATES, SAMPLES
from ...testing._checks.orders import close, grids, of_line
from ...testing._checks.refusals import keywords, require_refused_by_name

ROWS = [SAMPLES, SAMPLES[::-1]]


def check_values_for_each_line(gradient: Gradient, xp: Any) -> None:
    """Beyond an end that is an array lies one value for each line."""
    f, values = array(xp, ROWS), array(xp, [[2.5], [-3]])
    need_boundary(gradient, f)
    for mode in (values, ("edge", values), (values, "one_sided")):
        found = only(gradient, f, dim=1, boundary=mode)
        for k, value in enumerate((2.5, -3)):
            pair = mode if isinstance(mode, tuple) else (mode, mode)
            ends = tuple([end if isinstance(end, str) else value for end in pair])
            wanted = of_line(_oracle.steps(0, 1), ROWS[k], edge_order=1, boundary=ends)
            close(found[k, ...], wanted)


def check_a_period_for_each_line(gradient: Gradient, xp: Any) -> None:
    """A period that is an array has one length for each line."""
    x = [COORDINATES, [2 * a for a in COORDINATES]]
    f, period = array(xp, ROWS), array(xp, [[PERIOD], [2 * PERIOD]])
    need_boundary(gradient, f)
    found = only(
        gradient, f, spacing=[array(xp, x)], dim=1, boundary=("periodic", period)
    )
    for k in (0, 1):
        circle = ("periodic", (k + 1) * PERIOD)
        close(found[k, ...], of_line(_oracle.along(0, x[k]), ROWS[k], boundary=circle))


def check_one_array_for_all_lines(gradient: Gradient, xp: Any) -> None:
    """An array without dims stands for all lines, and leaves the dtype."""
    f, values = array(xp, SAMPLES, "float32"), array(xp, 2, real(xp))
    need_boundary(gradient, f)
    found = only(gradient, f, boundary=values)
    require_dtype(xp, found, "float32")
    close(found, of_line(_oracle.steps(0, 1), boundary=2))


def check_values_can_be_traced(gradient: Gradient, xp: Any) -> None:
    """A compiled function may give values and periods, other ones at each call."""
    f, x = array(xp, SAMPLES), array(xp, COORDINATES)
    need_boundary(gradient, f)

    def both(f: Any, x: Any, value: Any, period: Any) -> Any:
        turned = only(gradient, f, spacing=[x], boundary=("periodic", period))
        return only(gradient, f, boundary=value), turned

    call = _abilities.compiled(both, f)
    for value in (2.0, 5.0):
        found = call(f, x, array(xp, value), array(xp, PERIOD + value))
        close(found[0], of_line(_oracle.steps(0, 1), boundary=value))
        circle, line = ("periodic", PERIOD + value), _oracle.along(0, COORDINATES)
        close(found[1], of_line(line, boundary=circle))


def check_values_are_differentiable(gradient: Gradient, xp: Any) -> None:
    """The result can be differentiated in a value beyond an end."""
    f, factors = array(xp, SAMPLES), [1, 0, 2, -1, 0, 0, 3]
    need_boundary(gradient, f)

    def call(value: Any) -> Any:
        slopes = only(gradient, f * value, boundary=value)
        return xp.sum(slopes * array(xp, factors))

    slopes = of_line(_oracle.steps(0, 1), boundary=1)
    wanted = _oracle.sum_of(a * b for a, b in zip(slopes, factors, strict=True))
    close(_abilities.derivative(call, array(xp, 2.0)), wanted)


def check_a_dim_of_one_point(gradient: Gradient, xp: Any) -> None:
    """Between ghosts, a single point has a derivative."""
    need_boundary(gradient, array(xp, SAMPLES))
    f = array(xp, [[3, 1, 4]])
    for mode in ("periodic", "symmetric", "edge"):
        require_numbers(only(gradient, f, dim=0, boundary=mode), [[0, 0, 0]])
    found = only(gradient, f, dim=0, boundary=(1.0, 4.0))
    require_numbers(found, [[1.5, 1.5, 1.5]])
    found = only(gradient, f, dim=0, boundary=("edge", 4.0))
    require_numbers(found, [[0.5, 1.5, 0]])


def check_dims_of_few_points(gradient: Gradient, xp: Any) -> None:
    """What is repeated is repeated again where there are fewer points than ghosts."""
    few = SAMPLES[:3]
    f = array(xp, few)
    need_boundary(gradient, f)
    need_keyword(gradient, f, accuracy=2)
    turns = {
        "periodic": few,
        "symmetric": few + few[::-1],
        "reflect": [*few, few[1]],
    }
    for mode, turn in turns.items():
        line = turn * 6
        start = 3 * len(turn)
        for accuracy in (4, 6, 8):
            wanted: Any = of_line(_oracle.steps(0, 0.5), line, accuracy=accuracy)
            kind: dict[str, Any] = {"accuracy": accuracy, "boundary": mode}
            close(only(gradient, f, spacing=0.5, **kind), wanted[start : start + 3])


def check_ghosts_beside_the_samples(gradient: Gradient, xp: Any) -> None:
    """Ghosts may be given for an end, with their coordinates where there are any."""
    f = array(xp, SAMPLES)
    need_boundary(gradient, f)
    for entry, coordinate, is_uneven in grids(xp):
        own = entry[2:5] if is_uneven else entry
        left, right = [
            ("ghosts", f[cut], entry[cut]) if is_uneven else ("ghosts", f[cut])
            for cut in (slice(0, 2), slice(5, 7))
        ]
        given: dict[str, Any] = {"edge_order": 1, "boundary": "one_sided"}
        wanted: Any = of_line(coordinate, **given)
        found = only(gradient, f[2:5], spacing=[own], boundary=(left, right))
        close(found, wanted[2:5])
        wanted = _formulas.partial(SAMPLES[:5], 0, coordinate, **given)
        found = only(gradient, f[2:5], spacing=[own], boundary=(left, "one_sided"))
        close(found, wanted[2:])


def check_arrays_beyond_refused(gradient: Gradient, xp: Any) -> None:
    """Values of another shape, too few ghosts and such for no end are refused."""
    f = array(xp, SAMPLES)
    need_boundary(gradient, f)
    mistakes = {
        "a value for each point": f,
        "no ghosts": (("ghosts", f[:0]), "edge"),
        "ghosts for no end": ("ghosts", f),
        "coordinates of ghosts on a step": (("ghosts", f, f), "edge"),
    }
    require_refused_by_name(
        gradient,
        xp,
        *(
            keywords(ValueError, "boundary", boundary=mode)._replace(what=what)
            for what, mode in mistakes.items()
        ),
    )
