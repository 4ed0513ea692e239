"""Calls at random, of few kinds: what is compiled for one serves all calls of it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy

DOORS = (
    "gradient",
    "derivative",
    "laplacian",
    "divergence",
    "curl",
    "jacobian",
    "hessian",
)
FIELDS = ("divergence", "curl", "jacobian")
CURVED = ("gradient", "divergence", "curl", "laplacian")
DTYPES = (
    *("float32", "float64", "float32", "float64", "float16"),
    *("complex64", "complex128", "uint8", "int16", "int32", "int64"),
)
GRIDS = ("step", "step", "0-d", "coordinates", "coordinates", "per point")
MODES = (
    *("one_sided", "one_sided", "one_sided"),
    *("periodic", "reflect", "symmetric", "edge", 1.5),
)


class Kind(NamedTuple):
    """What is alike in all calls of a kind; their shapes and numbers differ.

    Attributes
    ----------
    door : str
        The name of the function.
    ndim : int
        The number of dims of space.
    dtype : str
        That of the samples.
    grid : str
        One of `GRIDS`.
    keywords : dict
        What holds no array.
    masked : bool
        Whether samples are left out.
    curved : bool
        Whether there are scale factors.
    """

    door: str
    ndim: int
    dtype: str
    grid: str
    keywords: dict[str, Any]
    masked: bool
    curved: bool

    def __str__(self) -> str:
        """Return how the call is written, roughly."""
        words = [self.dtype, f"{self.ndim}-D", self.grid]
        words += [f"{name}={value!r}" for name, value in self.keywords.items()]
        words += ["where"] if self.masked else []
        words += ["scale_factors"] if self.curved else []
        return f"{self.door}({', '.join(words)})"


class Call(NamedTuple):
    """A call, all of its arrays being NumPy's.

    Attributes
    ----------
    kind : Kind
        What it is one of.
    samples : ndarray
        The first argument.
    keywords : dict
        All others, arrays among them.
    """

    kind: Kind
    samples: Any
    keywords: dict[str, Any]


def kinds(count: int, seed: int) -> list[Kind]:
    """Return so many kinds, of every door in turn."""
    draw = random.Random(f"kinds {seed}")
    in_turn = itertools.islice(itertools.cycle(DOORS), count)
    return [_kind(draw, door) for door in in_turn]


def _kind(draw: random.Random, door: str) -> Kind:
    ndim = draw.choice([2, 3] if door == "curl" else [1, 2, 2, 3])
    grid = draw.choice(GRIDS)
    accuracy = draw.choice([2, 2, 2, 4, 4, 8])
    keywords: dict[str, Any] = {"accuracy": accuracy, "boundary": draw.choice(MODES)}
    if keywords["boundary"] == "periodic" and grid in ("coordinates", "per point"):
        keywords["boundary"] = "edge"  # a period would have to be given along
    if draw.random() < 0.4:
        keywords["edge_order"] = draw.choice([1, 2, 3])
    if door == "derivative":
        keywords |= {"dim": draw.randrange(ndim), "order": draw.choice([1, 2, 3, 4])}
    if door == "gradient" and draw.random() < 0.3:
        keywords["stack_dim"] = draw.choice([0, -1])
    masked = draw.random() < 0.3 and door in ("gradient", "derivative")
    if masked:  # a mask goes with these
        keywords["accuracy"] = 2
        keywords |= {"order": 1} if door == "derivative" else {}
    if draw.random() < 0.15:
        keywords["dtype"] = draw.choice(["float32", "float64"])
    dtype = draw.choice(DTYPES)
    if "dtype" in keywords and "complex" in dtype:
        del keywords["dtype"]
    curved = door in CURVED and draw.random() < 0.3
    return Kind(door, ndim, dtype, grid, keywords, masked, curved)


def calls(some: list[Kind], count: int, seed: int, shapes: int) -> Iterator[Call]:
    """Yield so many calls, of each kind in turn, and of few shapes per kind."""
    for number, kind in enumerate(itertools.islice(itertools.cycle(some), count)):
        yield _call(kind, number, seed, number // len(some) % shapes)


def _call(kind: Kind, number: int, seed: int, shape: int) -> Call:
    # Long enough for every formula above; 32 is a multiple of what one access holds.
    most = {1: 200, 2: 40, 3: 26}[kind.ndim]
    sizes = random.Random(f"shape {kind} {shape}")
    lengths = tuple(sizes.randint(20, most) for _ in range(kind.ndim))
    if shape == 0:
        lengths = (*lengths[:-1], 32)
    draw = numpy.random.default_rng([seed, number])
    whole = lengths if kind.door not in FIELDS else (kind.ndim, *lengths)
    dim = kind.keywords.get("dim")
    axes = range(kind.ndim) if dim is None else [dim]
    entries = [_entry(draw, kind, lengths, axis) for axis in axes]
    keywords = {**kind.keywords, "spacing": entries if dim is None else entries[0]}
    if kind.masked:
        keywords["where"] = draw.random(lengths) > 0.15
    if kind.curved:
        # One that varies along the first dim, then one per point: with halves, exactly.
        shapes = [(lengths[0], *[1] * (kind.ndim - 1)), *[lengths] * (kind.ndim - 1)]
        keywords["scale_factors"] = [
            (draw.integers(2, 9, shape) / 2).astype(_real(kind)) for shape in shapes
        ]
    return Call(kind, _samples(draw, kind.dtype, whole), keywords)


def _samples(draw: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    if "int" in dtype:
        return draw.integers(0, 100, shape, dtype=dtype)
    values = draw.standard_normal(shape)
    if "complex" in dtype:
        values = values + 1j * draw.standard_normal(shape)
    return values.astype(dtype)


def _entry(draw: Any, kind: Kind, lengths: tuple[int, ...], axis: int) -> Any:
    """Return the spacing of one dim, as exact as the samples are."""
    dtype = _real(kind)
    step = 2.0 ** -draw.integers(0, 4) * (1 + draw.random())
    if kind.grid == "step":
        return float(step)
    if kind.grid == "0-d":
        return numpy.asarray(step, dtype=dtype)
    # Quarters, which half precision has, too.
    gaps = draw.integers(1, 9, lengths if kind.grid == "per point" else lengths[axis])
    along = axis if kind.grid == "per point" else 0
    return (numpy.cumsum(gaps, axis=along) / 4).astype(dtype)


def _real(kind: Kind) -> Any:
    """Return the dtype of coordinates and factors."""
    dtype = numpy.empty(0, kind.dtype).real.dtype
    return dtype if dtype.kind == "f" else numpy.dtype("float32")
