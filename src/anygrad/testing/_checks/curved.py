"""Curved coordinates: what scale factors make of derivatives."""

from __future__ import annotations

from typing import Any

from ...testing._arrays import Gradient, array, need_keyword, numbers, results
from ...testing._checks.orders import close
from ...testing._checks.refusals import Mistake, require_refused_by_name

#: Of polar coordinates: uneven radii, and the step of the angles.
RADII, STEP, COUNT = [1, 2, 4, 5, 8], 0.5, 4


def polar(xp: Any) -> dict[str, Any]:
    """Return the arguments of a call in polar coordinates."""
    factors = [1.0, array(xp, [[r] for r in RADII])]
    return {"spacing": [array(xp, RADII), STEP], "scale_factors": factors}


def of_radius(value: Any) -> Any:
    """Return samples of a function of the radius."""
    return [[value(r)] * COUNT for r in RADII]


def check_scaled_partials(gradient: Gradient, xp: Any) -> None:
    """With `scale_factors`, each slope is over the length of a step of one."""
    f = array(xp, [[3, 1, 4], [1, 5, 9], [2, 6, 5]])
    need_keyword(gradient, f, scale_factors=None)
    factors = [2.0, array(xp, [[1], [2], [4]])]
    plain = results(gradient, f)
    scaled = results(gradient, f, scale_factors=factors)
    close(scaled[0] * 2.0, numbers(plain[0]))
    close(scaled[1] * factors[1], numbers(plain[1]))


def check_a_plane_that_turns(curl: Gradient, divergence: Gradient, xp: Any) -> None:
    """In polar coordinates, a plane that turns has twice its angular velocity."""
    field = array(xp, [of_radius(lambda _: 0), of_radius(lambda r: 3 * r)])
    need_keyword(curl, field, scale_factors=None)
    close(curl(field, **polar(xp)), of_radius(lambda _: 6))
    close(divergence(field, **polar(xp)), of_radius(lambda _: 0))


def check_sources_in_a_plane(divergence: Gradient, xp: Any) -> None:
    """In polar coordinates, what flows away as the radius grows has two sources."""
    field = array(xp, [of_radius(lambda r: r), of_radius(lambda _: 0)])
    need_keyword(divergence, field, scale_factors=None)
    close(divergence(field, **polar(xp)), of_radius(lambda _: 2))


def check_laplacian_in_a_plane(laplacian: Gradient, xp: Any) -> None:
    """In polar coordinates, the Laplacian of the squared radius is 4."""
    f = array(xp, of_radius(lambda r: r * r))
    need_keyword(laplacian, f, scale_factors=None)
    close(laplacian(f, **polar(xp)), of_radius(lambda _: 4))


def check_factors_refused(gradient: Gradient, laplacian: Gradient, xp: Any) -> None:
    """Too few `scale_factors`, zero, and such as fit no samples are refused by name."""
    need_keyword(gradient, array(xp, of_radius(float)), scale_factors=None)

    def call(*factors: Any) -> Any:
        def made(xp: Any) -> Any:
            given = [array(xp, h) if isinstance(h, list) else h for h in factors]
            return array(xp, of_radius(float)), {"scale_factors": given}

        return made

    mistakes = [
        Mistake("one factor", ValueError, "scale_factors", call(1.0)),
        Mistake("zero", ValueError, "scale_factors", call(1.0, 0.0)),
        Mistake("a line", ValueError, "scale_factors", call(1.0, [1.0] * COUNT)),
        Mistake("another shape", ValueError, "scale_factors", call(1.0, [[1.0]] * 3)),
    ]
    for function in (gradient, laplacian):
        require_refused_by_name(function, xp, *mistakes)
