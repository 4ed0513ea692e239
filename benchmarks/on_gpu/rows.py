"""What is measured on a GPU, and what it must be: data only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Row:
    """One kind of work.

    Attributes
    ----------
    work : str
        What it is called.
    shape : tuple of int
        That of the samples.
    dim : int or None
        The dim to differentiate along; None for all.
    dtype : str
        That of the samples.
    door : str
        The function.
    grid : {"step", "coordinates", "per point"}
        The spacing.
    masked : bool
        Whether one sample in ten is left out.
    backward : bool
        Whether torch's way back belongs to it.
    keywords : dict
        What else the function is given.
    at_most : float or None
        The target: how many times the floor it may take;
    of_copies : float or None
        or how many times the copy of its results;
    at_least : float or None
        or how many times faster than the library's own gradient it must be.
    is_compiled : bool
        Whether to measure it in `torch.compile` as well, which takes seconds.
    """

    work: str
    shape: tuple[int, ...]
    dim: int | None
    dtype: str = "float32"
    door: str = "gradient"
    grid: str = "step"
    masked: bool = False
    backward: bool = False
    keywords: dict[str, Any] = field(default_factory=dict)
    at_most: float | None = None
    of_copies: float | None = None
    at_least: float | None = None
    is_compiled: bool = False

    def __str__(self) -> str:
        """Return all that tells a row from others."""
        shape = " x ".join(map(str, self.shape))
        where = "all dims" if self.dim is None else f"dim {self.dim}"
        return f"{self.work}, {self.dtype}, {shape}, {where}"

    def smallest(self) -> Row:
        """Return the same work on a few points."""
        return replace(self, shape=tuple(min(n, 20) for n in self.shape))

    @property
    def has_own(self) -> bool:
        """Whether the library's own gradient does this work."""
        plain = self.door == "gradient" and not self.keywords and not self.masked
        return plain and self.grid != "per point"

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"own / time ≥ {self.at_least:g}"
        if self.of_copies is not None:
            return f"time / copies ≤ {self.of_copies:g}"
        return "" if self.at_most is None else f"time / floor ≤ {self.at_most:g}"


#: 64 Mi elements, and twice as many.
SQUARE, CUBE = (8192, 8192), (512, 512, 512)
BOTH = (0, 1)
REALS = ("float32", "float64")

#: What matters most comes first: time may run out.
ROWS = [
    *(
        Row("step", SQUARE, dim, dtype, at_most=1.15, is_compiled=dtype == "float32")
        for dtype, dim in product(REALS, BOTH)
    ),
    *(
        Row("coordinates", SQUARE, dim, dtype, grid="coordinates", at_most=1.5)
        for dtype, dim in product(REALS, BOTH)
    ),
    *(
        Row("accuracy 8", SQUARE, dim, dtype, keywords={"accuracy": 8}, at_most=1.7)
        for dtype, dim in product(REALS, BOTH)
    ),
    *(
        Row(
            "laplacian",
            CUBE,
            None,
            dtype,
            "laplacian",
            at_most=1.4,
            is_compiled=dtype == "float32",
        )
        for dtype in REALS
    ),
    *(
        Row("forward and backward", SQUARE, dim, grid=grid, backward=True, at_least=2.0)
        for grid, dim in (("step", 0), ("step", 1), ("coordinates", 1))
    ),
    *(Row("where", SQUARE, dim, masked=True, at_most=1.5) for dim in BOTH),
    *(
        Row("one coordinate per point", SQUARE, dim, grid="per point", at_most=1.5)
        for dim in BOTH
    ),
    Row("gradient", CUBE, None, of_copies=0.8, is_compiled=True),
    Row("hessian", (400, 400, 400), None, door="hessian"),
    Row("divergence", (3, 400, 400, 400), None, door="divergence"),
    *(
        Row("step", SQUARE, dim, dtype, at_most=1.3)
        for dtype, dim in product(("float16", "uint8", "int32", "int64"), BOTH)
    ),
]

#: Few elements: what the host does is all that there is.
ON_FEW = [
    Row("step", (10, 10), 1),
    Row("coordinates", (10, 10), 1, grid="coordinates"),
    Row("accuracy 4", (10, 10), 1, keywords={"accuracy": 4}),
    Row("where", (10, 10), 1, masked=True),
    Row("step", (10, 10), 1, "int32"),
    Row("gradient", (10, 10, 10), None),
    Row("laplacian", (10, 10, 10), None, door="laplacian"),
    Row("forward and backward", (10, 10), 1, backward=True),
]

#: Microseconds of the host, by library and work; torch's are those of torch.gradient.
HOST_AT_MOST = {("cupy", "step"): 25.0, ("cupy", "coordinates"): 35.0}

#: Seconds of the first call of a kind, and of the first of a process from the disk.
FIRST_AT_MOST, FROM_DISK_AT_MOST = 0.5, 0.03
