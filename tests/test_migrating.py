"""Each row of the tables in *Migrating*: the old call and the new one, compared.

Where a library is not installed with the others, its function is written out here by
its formula.  These were compared with the functions of MetPy 1.7.1, PhysicsNeMo 2.2.2,
neuraloperator 2.0.0 and Kornia 0.9.0, and are theirs to rounding.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import anygrad

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "guide" / "migrating.md").read_text(encoding="utf-8")

#: Rows such as "| `old` | `new` |", under the heading that names the library.
SECTION = re.compile(r"^## From (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]*\(.*)` \| `([^`]+)` \|$", re.MULTILINE)


def rows() -> Iterator[tuple[str, str, str]]:
    _, *parts = SECTION.split(PAGE)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        for old, new in ROW.findall(text):
            yield name, old, new


ROWS = list(rows())


def samples(numpy: Any) -> dict[str, Any]:
    """Return samples on a grid of 9 and 10 points, and where they lie."""
    y = numpy.asarray([0.0, 0.5, 1.5, 2.0, 3.0, 3.5, 5.0, 5.5, 8.0])
    x = numpy.asarray([0.0, 1, 2, 2.5, 3, 4, 5, 7, 7.5, 8])
    # Of the fourth degree on the grid of steps, which findiff's points read alike.
    i, j = numpy.arange(9.0)[:, None], numpy.arange(10.0)
    f = 0.01 * i**4 - i * j**2 + 0.02 * j**4 + i - 0.5 * i**2 * j
    names = {"numpy": numpy, "f": f, "x": x, "y": y, "h": 0.25, "u": f, "v": f**2}
    steps = numpy.asarray([0.5, 0.25])
    names |= {"masked": numpy.ma.masked_inside(f, 0.5, 1.0), "x2": y[:, None] + 0 * j}
    return names | {"steps": steps, "dx": 1 + j[1:] / (i + 2)}


def in_numpy(name: str) -> dict[str, Any]:
    import numpy

    return samples(numpy) | {name: importlib.import_module(name)}


def of_numpy() -> dict[str, Any]:
    """CuPy's gradient is NumPy's, word for word, and needs a GPU."""
    names = in_numpy("numpy")
    return names | {"cupy": names["numpy"]}


def of_torch() -> dict[str, Any]:
    import torch

    names = in_numpy("torch")
    kernel = [[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]
    names |= {"image": names["f"][None, None], "kernel": [[kernel]]}
    tensors = ("f", "x", "y", "image", "kernel")
    double = torch.float64
    return names | {k: torch.asarray(names[k], dtype=double) for k in tensors}


def of_jax() -> dict[str, Any]:
    import jax.numpy as jnp

    names = in_numpy("jax")
    return names | {k: jnp.asarray(names[k]) for k in ("f", "x")} | {"jnp": jnp}


def of_dask() -> dict[str, Any]:
    import dask.array as da

    names = in_numpy("dask")
    return names | {"da": da, "f": da.from_array(names["f"], chunks=(5, 4))}


def of_xarray() -> dict[str, Any]:
    import xarray

    importlib.import_module("anygrad.xarray")
    names = in_numpy("numpy")
    np = names["numpy"]
    times = np.datetime64("2024-01-01", "s") + (60 * names["x"]).astype("m8[s]")
    coordinates = {"x": names["y"], "time": times}
    array = xarray.DataArray(names["f"], coordinates, ("x", "time"))
    array = array.assign_coords(miles=0.6 * array.x + array.x**2)
    return names | {"array": array, "dataset": xarray.Dataset({"f": array})}


def of_scipy() -> dict[str, Any]:

    return in_numpy("scipy")


def along(f: Any, axis: int, *parts: tuple[int | None, int | None]) -> Any:
    """Return slices of an array along one axis."""
    for part in parts:
        yield f[(slice(None),) * (axis % f.ndim) + (slice(*part),)]


def metpy_first(f: Any, axis: int = 0, x: Any = None, delta: Any = None) -> Any:
    """Return the slope of a parabola through three points, at the edges too."""
    import numpy

    if numpy.ndim(delta):  # from line to line, in the last dim
        lines = [numpy.insert(numpy.cumsum(steps), 0, 0.0) for steps in delta]
        pairs = zip(f, lines, strict=True)
        return numpy.stack([numpy.gradient(*pair, edge_order=2) for pair in pairs])
    steps = delta if x is None else x
    return numpy.gradient(f, steps, axis=axis, edge_order=2)


def metpy_second(f: Any, axis: int, delta: float) -> Any:
    """Return its second derivative; those of the edges are the next ones inside."""
    import numpy

    a, b, c = along(f, axis, (None, -2), (1, -1), (2, None))
    inner = (a - 2 * b + c) / delta**2
    first, last = along(inner, axis, (None, 1), (-1, None))
    return numpy.concatenate([first, inner, last], axis=axis)


METPY = SimpleNamespace(
    first_derivative=metpy_first,
    second_derivative=metpy_second,
    gradient=lambda f, coordinates: [
        metpy_first(f, axis=k, x=x) for k, x in enumerate(coordinates)
    ],
    laplacian=lambda f, deltas: sum(
        metpy_second(f, axis=k, delta=h) for k, h in enumerate(deltas)
    ),
    vorticity=lambda u, v, dx, dy: (
        metpy_first(v, axis=-1, delta=dx) - metpy_first(u, axis=-2, delta=dy)
    ),
    divergence=lambda u, v, dx, dy: (
        metpy_first(u, axis=-1, delta=dx) + metpy_first(v, axis=-2, delta=dy)
    ),
)


def of_metpy() -> dict[str, Any]:
    return in_numpy("numpy") | {"metpy": SimpleNamespace(calc=METPY)}


#: The weights of periodic formulas, by distance.
CENTRAL = {
    2: {1: 1 / 2},
    4: {1: 2 / 3, 2: -1 / 12},
    6: {1: 3 / 4, 2: -3 / 20, 3: 1 / 60},
}


def around(f: Any, h: float, dim: int, order: int = 2) -> Any:
    """Return the first derivative on a circle, as all three packages have it."""
    return sum(
        weight * (f.roll(-k, dim) - f.roll(k, dim)) / h
        for k, weight in CENTRAL[order].items()
    )


def second_around(f: Any, h: float, dim: int) -> Any:
    return (f.roll(-1, dim) - 2 * f + f.roll(1, dim)) / h**2


def uniform_grid_gradient(f: Any, spacing: Any, order: int = 2) -> Any:
    import torch

    steps = spacing if isinstance(spacing, tuple) else (spacing,) * f.ndim
    return torch.stack([around(f, h, k, order) for k, h in enumerate(steps)])


def rectilinear_grid_gradient(f: Any, coordinates: Any, periods: Any) -> Any:
    """Weight both differences by the length of the other step, on circles."""
    import torch

    results = []
    for dim, (x, period) in enumerate(zip(coordinates, periods, strict=True)):
        shape = [-1 if k == dim else 1 for k in range(f.ndim)]
        after = (x.roll(-1) - x).remainder(period).view(shape)
        before = after.roll(1, dim)
        right = (f.roll(-1, dim) - f) / after
        left = (f - f.roll(1, dim)) / before
        results.append((right * before + left * after) / (before + after))
    return torch.stack(results)


def of_pynumdiff() -> dict[str, Any]:
    """Of samples of the fourth degree, findiff's formulas give the same slopes."""
    names = in_numpy("findiff")

    def finitediff(f: Any, h: float, order: int = 2) -> tuple[Any, Any]:
        return f, names["findiff"].Diff(0, h, acc=order)(f)

    return names | {"pynumdiff": SimpleNamespace(finitediff=finitediff)}


def of_physicsnemo() -> dict[str, Any]:
    return of_torch() | {
        "uniform_grid_gradient": uniform_grid_gradient,
        "rectilinear_grid_gradient": rectilinear_grid_gradient,
        "uniform_grid_laplacian": lambda f, spacing: (
            second_around(f, spacing, 0) + second_around(f, spacing, 1)
        ),
    }


def of_lettuce() -> dict[str, Any]:
    def torch_gradient(f: Any, dx: float = 1, order: int = 2) -> Any:
        return uniform_grid_gradient(f, dx, order)

    return of_torch() | {"torch_gradient": torch_gradient}


#: The weights of a cubic's first and second derivative at its first point.
CUBIC = {1: (-11 / 6, 3, -3 / 2, 1 / 3), 2: (2, -5, 4, -1)}


class FiniteDiff:
    """The finite differences of neuraloperator, in two dims.

    The derivatives at ends that are not periodic are those of a cubic.
    """

    def __init__(
        self,
        dim: int,
        h: float,
        *,
        periodic_in_x: bool = True,
        periodic_in_y: bool = True,
    ) -> None:
        assert dim == 2
        self.h, self.circles = h, (periodic_in_x, periodic_in_y)

    def along(self, f: Any, dim: int, order: int) -> Any:
        result = (around, second_around)[order - 1](f, self.h, dim)
        if not self.circles[dim]:
            for end, sign in ((0, 1), (-1, (-1) ** order)):
                points = [f.select(dim, end + (-k if end else k)) for k in range(4)]
                ends = sum(w * p for w, p in zip(CUBIC[order], points, strict=True))
                result.select(dim, end).copy_(sign * ends / self.h**order)
        return result

    def dx(self, f: Any, order: int = 1) -> Any:
        return self.along(f, -2, order)

    def dy(self, f: Any, order: int = 1) -> Any:
        return self.along(f, -1, order)

    def gradient(self, f: Any) -> Any:
        import torch

        return torch.stack([self.dx(f), self.dy(f)], dim=-3)

    def laplacian(self, f: Any) -> Any:
        return self.dx(f, 2) + self.dy(f, 2)


def of_neuraloperator() -> dict[str, Any]:
    return of_torch() | {"FiniteDiff": FiniteDiff}


def spatial_gradient(image: Any, mode: str, order: int = 1) -> Any:
    """Return Kornia's differences: the edges of an image go on."""
    import torch

    assert mode == "diff"
    f = torch.nn.functional.pad(image, (1, 1, 1, 1), "replicate")

    results = [around(f, 1.0, -1), around(f, 1.0, -2)]
    if order == 2:
        mixed = around(results[0], 1.0, -2)
        results = [second_around(f, 1.0, -1), mixed, second_around(f, 1.0, -2)]
    return torch.stack(results, dim=2)[..., 1:-1, 1:-1]


NAMES = {
    "NumPy, and CuPy": of_numpy,
    "PyTorch": of_torch,
    "JAX": of_jax,
    "Dask": of_dask,
    "xarray": of_xarray,
    "SciPy": of_scipy,
    "MetPy": of_metpy,
    "findiff": lambda: in_numpy("findiff"),
    "PyNumDiff": of_pynumdiff,
    "PhysicsNeMo": of_physicsnemo,
    "lettuce": of_lettuce,
    "neuraloperator": of_neuraloperator,
    "Kornia": lambda: of_torch() | {"spatial_gradient": spatial_gradient},
    "formulas written out": lambda: in_numpy("numpy"),
}


def listed(result: Any) -> list[Any]:
    """Return what a call returns as NumPy arrays: a list for one array, too.

    What is masked is zero there.
    """
    import numpy

    if isinstance(result, Mapping):  # a Dataset
        return listed(list(result.values()))
    several = isinstance(result, (tuple, list))
    arrays = result if several else [result]
    is_masked = numpy.ma.isMaskedArray
    return [numpy.asarray(a.filled(0.0) if is_masked(a) else a) for a in arrays]


def test_each_library_has_rows() -> None:
    assert {name for name, _, _ in ROWS} == set(NAMES)
    lines = re.findall(r"^\| `.+\(.*$", PAGE, re.MULTILINE)
    assert len(lines) == len(ROWS)  # none that this file cannot read


@pytest.mark.parametrize(("name", "old", "new"), ROWS, ids=str)
def test_a_row(name: str, old: str, new: str) -> None:
    import numpy

    names = NAMES[name]() | {"anygrad": anygrad}
    before, after = listed(eval(old, names)), listed(eval(new, names))
    assert len(before) == len(after)
    rtol = 1e-5 if name == "JAX" else 1e-11
    for a, b in zip(before, after, strict=True):
        assert numpy.ptp(a) > 0
        numpy.testing.assert_allclose(b, a, rtol, atol=rtol * numpy.abs(a).max())


# The function that has NumPy's signature.


def wrapper() -> Any:
    """Return the function as the page has it."""
    import numpy

    text = re.search(r"^>>> (def gradient.*\n(?:\.\.\. .*\n)+)", PAGE, re.MULTILINE)
    assert text is not None
    names: dict[str, Any] = {"anygrad": anygrad, "np": numpy}
    exec(text[1].replace("\n... ", "\n"), names)
    return names["gradient"]


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("axis", [None, 0, -1, (1, 0), (1,)])
@pytest.mark.parametrize("steps", ["", "h", "each", "x", "mixed"])
def test_the_function_with_the_signature_of_numpy(
    steps: str, axis: Any, edge_order: int
) -> None:
    import numpy

    names = samples(numpy)
    f, x, y = names["f"], names["x"], names["y"]
    dims = (0, 1) if axis is None else numpy.atleast_1d(axis).tolist()
    coordinates = [(y, x)[dim] for dim in dims]
    varargs = {
        "": [],
        "h": [0.25],
        "each": [0.25] * len(dims),
        "x": coordinates,
        "mixed": [numpy.float64(0.5), *coordinates[1:]],
    }[steps]
    wanted = numpy.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    result = wrapper()(f, *varargs, axis=axis, edge_order=edge_order)
    assert type(result) is type(wanted)
    for a, b in zip(listed(result), listed(wanted), strict=True):
        numpy.testing.assert_allclose(a, b, 1e-11, atol=1e-11 * numpy.abs(b).max())


# What has been tried on other people's tests.


def test_the_table_of_sites_has_them_all() -> None:
    import tomllib

    sites = tomllib.loads((ROOT / "tests/sites/sites.toml").read_text("utf-8"))
    table = PAGE[PAGE.index("## Tried on") :]
    found = re.findall(r"^\| ([\w-]+) ([\d.]+) \| (\d+)", table, re.MULTILINE)
    wanted = set()
    for site in sites.values():
        package, version = re.match(r"([\w-]+)\S*==(.+)", site["requires"][0]).groups()
        edits = [call for call in site["calls"] if ".tests." not in call["module"]]
        count = sum(call.get("times", 1) for call in edits)
        wanted.add((package.lower(), version, str(count)))
    assert {(a.lower(), b, c) for a, b, c in found} == wanted
