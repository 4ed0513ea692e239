"""The list of what is measured, and what it must be: data only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product


@dataclass(frozen=True)
class Row:
    """One measurement: anygrad, a peer and the floor on the same samples.

    Attributes
    ----------
    library, dtype, shape, order : str, str, tuple of int, str
        The samples.
    dim : int or None
        The dim to differentiate along; None for all.
    grid : {"step", "coordinates", "one coordinate per point"}
        A step of 0.3, uneven coordinates along a dim, or an array of them.
    function : {"gradient", "laplacian", "hessian", "divergence", "order 4"}
        What is computed (the last is a derivative), with this
    accuracy, boundary : int, str
        in the interior, and at the ends.
    missing : {"", "in clusters", "at random"}
        Which samples a mask leaves out: none, without a mask; three in ten, in squares
        of 50; or one in twenty.
    way : {"call", "two threads", "jit", "backward", "compiled"}
        A plain call; within `set_workers(2)`; in the user's own `jax.jit`; followed
        by the backward pass of torch; or within `set_compiler("numba")`.
    peer : str or None
        What to compare with: a gradient; anygrad's own with one-sided edges, without
        a mask, or without a compiler; the formula of physicsnemo's periodic functions,
        shifted copies by `torch.roll`; or a correlation with the weights.
    at_most : float or None
        The target: how many times the floor it may take.
    at_least : float or None
        The target: how many times faster than the peer it must be.
    chunks : int or None
        The length of Dask's chunks.
    """

    library: str
    shape: tuple[int, ...]
    dim: int | None = 0
    dtype: str = "float64"
    order: str = "C"
    grid: str = "step"
    function: str = "gradient"
    accuracy: int = 2
    boundary: str = "one_sided"
    missing: str = ""
    way: str = "call"
    peer: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    chunks: int | None = None

    def __str__(self) -> str:
        """Return all that tells the row from others, the peer included."""
        shape = " x ".join(f"{n:,}" for n in self.shape).replace(",", " ")
        dim = "all dims" if self.dim is None else f"dim {self.dim}"
        words = [self.library, self.dtype, shape, dim, self.grid]
        words += [f"{self.order} order"] if self.order != "C" else []
        words += [self.function] if self.function != "gradient" else []
        words += [f"accuracy {self.accuracy}"] if self.accuracy != 2 else []
        words += [self.boundary] if self.boundary != "one_sided" else []
        words += [f"where, {self.missing}"] if self.missing else []
        words += [self.way] if self.way != "call" else []
        words += [f"against {self.peer}"] if self.peer in OTHER_PEERS else []
        return ", ".join(words)

    def smallest(self) -> Row:
        """Return the same work on a few points, for the tests."""
        shape = tuple(min(n, 6 + self.accuracy) for n in self.shape)
        return replace(self, shape=shape, chunks=self.chunks and 4)


#: Peers that are anygrad's own: with one-sided edges, without a mask, or not compiled.
OURS_AS_PEERS = ("one-sided", "no mask", "no compiler")

#: Peers that are no gradient of the array's own library.
OTHER_PEERS = (
    *("findiff", "torch.roll", "correlate1d", "conv2d", "numba.stencil"),
    *OURS_AS_PEERS,
)

#: Shapes of 1e6 elements and more, and a dim.
LARGE = [
    ((1_000_000,), 0),
    ((1000, 1000), 0),
    ((1000, 1000), 1),
    ((100, 100, 100), 1),
    ((4000, 4000), 0),
    ((4000, 4000), 1),
    ((4000, 4000), None),
    ((1_000_000, 8), 1),
    ((8, 1_000_000), 0),
]
SQUARE = [((4000, 4000), 0), ((4000, 4000), 1)]

FEW = [((100,), 0), ((30, 30), None)]

#: Shapes of few elements and of more, which one thread computes, and their order.
SMALL = [
    *[(shape, "C") for shape in ((10,), (100,), (1000,), (30, 30))],
    ((30, 30), "F"),
    *[(shape, "C") for shape in ((150, 150), (400, 400))],
    ((150, 150), "F"),
]

#: With a mask: how many times as long as without it a call may take.
WITH_MASKS = [
    Row(
        library,
        *work,
        grid=grid,
        missing=missing,
        peer="no mask",
        at_least=round(1 / times, 2),
    )
    for library, (missing, times), grid, work in product(
        ["numpy", "torch"],
        [("in clusters", 3), ("at random", 6)],
        ["step", "coordinates"],
        [((30, 30), 1), ((150, 150), 1), *SQUARE],
    )
]

IN_NUMPY = [
    *(
        Row("numpy", *work, peer="numpy.gradient", at_most=1.3, at_least=1.9)
        for work in LARGE
    ),
    *(
        Row(
            "numpy",
            *work,
            dtype=dtype,
            order=order,
            peer="numpy.gradient",
            at_most=1.3,
            at_least=1.9,
        )
        for (dtype, order), work in product(
            [("float64", "F"), ("float32", "C"), ("float32", "F")], SQUARE
        )
    ),
    *(
        Row("numpy", *work, dtype=dtype, peer="numpy.gradient")
        for dtype, work in product(["int64", "uint8", "float16"], SQUARE)
    ),
    *(
        Row("numpy", *work, dtype=dtype, way="two threads", at_most=0.85)
        for dtype, work in product(["float64", "float32"], SQUARE)
    ),
    *(
        Row(
            "numpy",
            *work,
            grid="coordinates",
            peer="numpy.gradient",
            at_most=2.2,
            at_least=2.2,
        )
        for work in LARGE
    ),
    *(Row("numpy", *work, peer="findiff") for work in SQUARE),
    *(
        Row(
            "numpy",
            *work,
            accuracy=accuracy,
            peer="findiff",
            at_most=at_most,
            at_least=5.0,
        )
        for (accuracy, at_most), work in product([(4, 1.7), (6, 2.1), (8, 2.6)], SQUARE)
    ),
    *(
        Row("numpy", *work, boundary="periodic", peer="one-sided", at_least=0.95)
        for work in [((1000, 1000), 0), ((1000, 1000), 1), *SQUARE]
    ),
    *(
        Row("numpy", shape, None, function="laplacian", peer="findiff", at_most=2.5)
        for shape in [(100, 100, 100), (200, 200, 200)]
    ),
]

IN_TORCH = [
    *(
        Row(
            "torch",
            *work,
            dtype="float32",
            grid=grid,
            peer="torch.gradient",
            at_most=at_most,
            at_least=3.0,
        )
        for (grid, at_most), work in product(
            [("step", 1.3), ("coordinates", 1.8)],
            [((1000, 1000), 1), *SQUARE, ((4000, 4000), None), ((1_000_000, 8), 1)],
        )
    ),
    *(
        Row(
            "torch",
            *work,
            dtype="float32",
            grid=grid,
            way="backward",
            peer="torch.gradient",
            at_least=1.0,
        )
        for grid, work in product(["step", "coordinates"], [*FEW, *SQUARE])
    ),
    *(
        Row(
            "torch",
            *work,
            dtype="float32",
            function=function,
            boundary="periodic",
            peer="torch.roll",
        )
        for function, work in [
            ("gradient", ((4000, 4000), 0)),
            ("gradient", ((4000, 4000), 1)),
            ("laplacian", ((200, 200, 200), None)),
        ]
    ),
]

IN_JAX = [
    *(
        Row(
            "jax",
            (4000, 4000),
            dim,
            dtype="float32",
            way=way,
            peer="jax.numpy.gradient",
            at_most=1.1,
            at_least=at_least,
        )
        for way, (dim, at_least) in product(["call", "jit"], [(0, 1.0), (1, 1.7)])
    ),
    *(
        Row(
            "jax",
            (4000, 4000),
            dim,
            dtype="float32",
            grid="coordinates",
            peer="jax.numpy.gradient",
            at_least=1.0,
        )
        for dim in (0, 1)
    ),
]

IN_DASK = [
    Row(
        "dask",
        *work,
        grid=grid,
        peer="dask.array.gradient",
        at_least=1.0,
        chunks=1000,
    )
    for grid, work in product(["step", "coordinates"], SQUARE)
]

ON_SMALL_ARRAYS = [
    Row(library, shape, None, dtype, order, grid, peer=peer, at_least=1.0)
    for (library, dtype, peer), grid, (shape, order) in product(
        [
            ("numpy", "float64", "numpy.gradient"),
            ("torch", "float32", "torch.gradient"),
            ("jax", "float32", "jax.numpy.gradient"),
        ],
        ["step", "coordinates"],
        SMALL,
    )
    if library != "jax" or order == "C"  # its arrays have one order
]

#: What is compiled by Numba, with its targets; it must never be slower than without.
COMPILED = [
    Row(
        library,
        shape,
        dim,
        dtype="int32" if name == "integers" else dtype,
        way="compiled",
        peer="no compiler",
        at_most=at_most,
        at_least=1.0,
        **more,
    )
    for (library, dtype), (name, shape, dim, at_most, more) in product(
        [("numpy", "float64"), ("torch", "float32")],
        [
            *(("step", *work, 1.4, {}) for work in SQUARE),
            *(("coordinates", *w, 1.4, {"grid": "coordinates"}) for w in SQUARE),
            ("points", *SQUARE[1], 1.4, {"grid": "one coordinate per point"}),
            ("accuracy", *SQUARE[1], 1.8, {"accuracy": 8}),
            ("order", *SQUARE[1], 1.4, {"function": "order 4"}),
            ("where", *SQUARE[1], 1.4, {"missing": "in clusters"}),
            ("integers", *SQUARE[1], 1.4, {}),
            ("laplacian", (200, 200, 200), None, 1.8, {"function": "laplacian"}),
            ("hessian", (2000, 2000), None, 1.2, {"function": "hessian"}),
            ("divergence", (3, 200, 200, 200), None, 1.4, {"function": "divergence"}),
            *(
                (
                    "laplacian",
                    (200, 200, 200),
                    None,
                    1.8,
                    {"function": "laplacian", **more},
                )
                for more in (
                    {"grid": "coordinates"},
                    {"missing": "in clusters"},
                    {"grid": "coordinates", "missing": "in clusters"},
                )
            ),
            ("order", *SQUARE[1], 1.4, {"function": "order 4", "grid": "coordinates"}),
        ],
    )
]

#: Correlations with the weights, which people take instead of a gradient.
CORRELATIONS = [
    Row(
        library,
        *work,
        dtype=dtype,
        accuracy=accuracy,
        boundary="periodic",
        way=way,
        peer=peer,
        at_least=1.0,
    )
    for (library, dtype, way, peer), accuracy, work in product(
        [
            ("numpy", "float64", "call", "correlate1d"),
            ("numpy", "float64", "compiled", "numba.stencil"),
            ("torch", "float32", "call", "conv2d"),
        ],
        [2, 8],
        SQUARE,
    )
] + [
    Row(
        "numpy",
        (200, 200, 200),
        None,
        function="laplacian",
        boundary="periodic",
        peer="correlate1d",
        at_least=1.0,
    )
]

ROWS = [
    *(*IN_NUMPY, *IN_TORCH, *IN_JAX, *IN_DASK),
    *(*ON_SMALL_ARRAYS, *WITH_MASKS, *COMPILED, *CORRELATIONS),
]

#: Peak memory: at most this many times the outputs, whatever the dtype.
MEMORY = [
    Row(library, (200, 200, 200), None, function="laplacian", at_most=1.05)
    for library in ("numpy", "torch")
] + [
    Row(library, (4000, 4000), dim, dtype=dtype, grid=grid, at_most=1.05)
    for library, grid, dtype, dim in product(
        ["numpy", "torch"],
        ["step", "coordinates"],
        ["float64", "float32", "float16", "int64", "uint8"],
        [0, 1],
    )
]

#: What is imported: the package, and a function, with all that a call needs.
IMPORTS = ["import anygrad", "from anygrad import gradient"]

#: How long each may take beyond the import of array-api-compat, in milliseconds.
IMPORT_AT_MOST = 10.0
