"""The calls that torch compiles, what they are made on, and how results differ."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import anygrad

MODES = ("periodic", "reflect", "symmetric", "edge", "one_sided")

#: Calls, on the arrays of `arrays`.
CALLS = (
    "gradient(f)",
    "hessian(f)",
    "curl(v)",
    "stencil(x[:4])",
    # Steps.
    "gradient(f, spacing=-2)",
    "gradient(f, spacing=(2j, h), dim=(-1, -2))",
    "derivative(f, spacing=0.1, order=2)",
    "derivative(f, spacing=h, order=3)",
    "laplacian(f, spacing=[0.7, 2], dim=[1, 0])",
    "hessian(f, spacing=[0.1, 2], boundary='periodic')",
    "jacobian(v, spacing=h)",
    # Coordinates.
    "gradient(f, spacing=[x, 0.5], edge_order=2)",
    "gradient(f, spacing=[column, xy])",
    "derivative(line, spacing=[z], order=2)",
    "derivative(line, spacing=z, accuracy=4)",
    "derivative(line, spacing=z, boundary='reflect')",
    "derivative(line, spacing=z, boundary=('periodic', 50.0))",
    "laplacian(v[0], spacing=[x, y])",
    "hessian(f, spacing=[x, y])",
    # Dims, and where the results stand.
    "gradient(f, axis=(1, 0))",
    "gradient(f, stack_dim=-1, spacing=[x, 2.0])",
    "hessian(w[0], dim=[2, 0], stack_dim=-1)",
    "divergence(v, dim=(2, 1))",
    "jacobian(last, vector_dim=-1, dim=[0])",
    "curl(w)",
    # Orders and accuracies.
    *(f"derivative(f, accuracy={accuracy})" for accuracy in (4, 6, 8)),
    *(f"derivative(f, order={order})" for order in (2, 3, 4, 5)),
    "derivative(f, order=2, accuracy=6, edge_order=3)",
    "gradient(f, dim=range(2), edge_order=3)",
    "laplacian(f, accuracy=4)",
    "jacobian(v, accuracy=4)",
    "divergence(v, accuracy=4, edge_order=2)",
    "curl(v, accuracy=4)",
    # Boundaries.
    *(f"derivative(f, boundary={mode!r})" for mode in MODES),
    "gradient(f + 1j, boundary=-2j)",
    "gradient(f, boundary=[('reflect', 'one_sided'), (2, 'edge')])",
    "gradient(f, spacing=[x, 0.1], boundary=[('periodic', 99), 'edge'])",
    "derivative(f, accuracy=6, boundary=('one_sided', 'symmetric'))",
    "laplacian(f, boundary=['periodic', 2.0])",
    "hessian(f, boundary=3.0)",
    "jacobian(v, boundary='edge')",
    "divergence(v, boundary='edge')",
    "curl(v, boundary=['reflect', ('edge', 'symmetric')])",
    "hessian(f, boundary=[h, ('edge', f[:, :1])])",
    "derivative(line, spacing=z, boundary=('periodic', 50 + h))",
    "laplacian(f[:2], accuracy=6, boundary=['periodic', (h, 2.0)])",
    "derivative(f, boundary=(('ghosts', f), 'one_sided'))",
    "derivative(line, spacing=z, boundary=('edge', ('ghosts', line, z + 50)))",
    "gradient(f, spacing=[z[:9], 2.0], boundary=[(h, ('ghosts', f, z[:9] + 50)), 1])",
    "derivative(f, boundary=(('ghosts', f), f[:, :1]))",
    # Curved coordinates.
    "divergence(v, **lonlat(y, x))",
    "gradient(f, scale_factors=[2, h], stack_dim=0)",
    "curl(w, spacing=0.1, scale_factors=[1.0, h, w[0]])",
    "laplacian(f, spacing=[x, 0.5], scale_factors=[1, column], boundary='edge')",
    # Missing samples.
    "gradient(f, where=mask[:1], edge_order=2)",
    "gradient(f, where=mask, boundary='reflect')",
    "derivative(f, where=mask, spacing=y)",
    # Dtypes.
    "gradient(n, spacing=0.3, stack_dim=0)",
    "gradient(f.half(), spacing=[x, 0.1j])",
    "gradient(f.float(), spacing=[x, 0.1])",
)

#: Calls with a number of NumPy's, which torch divides by, too.
OF_NUMPY = ("gradient(f, spacing=number)", "laplacian(f, spacing=[number, 2.0])")

#: Compiling takes half a second: the usual run has every second call of each kind.
USUAL, OTHERS = CALLS[1::2], CALLS[::2]

#: Those that another process makes in another order, and without compilation first.
WARM = CALLS[::-9]

#: One argument that changes from call to call: its values, and the number of graphs
#: that may be made for them.  torch makes the first for the very value, and the second
#: for all numbers; an argument that chooses the formula needs one for each.
CHANGING: dict[str, tuple[list[Any], int]] = {
    "gradient(f, spacing=k)": ([0.1, 0.2, 0.3, -0.7, 4.0, 1e-3], 2),
    "gradient(f, spacing=[3 * k, k])": ([2, 3, 4, 5, 7], 2),
    "derivative(f, spacing=k)": ([0.1, 0.2, 0.3, 0.4], 2),
    "derivative(f, spacing=k, dim=0)": ([0.1, 0.2, 1.0, 0.4], 3),  # none divides by 1
    "derivative(f, spacing=k, order=2, accuracy=4)": ([0.1, 0.2, 0.3, 0.4], 2),
    "hessian(f, spacing=k)": ([0.1, 0.2, 0.3, 0.4], 2),
    "gradient(f, dim=k)": ([1, 0, 1], 2),
    "laplacian(f, axis=k)": ([-1, -2, 1], 3),
    "gradient(f, edge_order=k)": ([1, 2, 1], 2),
    "derivative(f, order=k, accuracy=2 * k)": ([1, 2, 3, 2], 3),
    "gradient(f, boundary=k)": (["edge", "reflect", "edge"], 2),
    "laplacian(f, boundary=['edge', k], spacing=k)": ([0.5, 1.5, -2.5], 2),
    "derivative(f, boundary=(('ghosts', f), k), spacing=k)": ([0.5, 1.5, -2.5], 2),
    "divergence(v, boundary=[k, h], scale_factors=[1, column])": ([3, 5, -2], 2),
}

#: Shapes that change, two dims at once.
SHAPES = [(9, 11), (10, 12), (13, 17), (31, 23)]
OF_ALL_SHAPES = (
    "gradient(f, spacing=0.3, stack_dim=0)",
    "derivative(f, spacing=f[0].cumsum(0), where=f > 0)",
    "hessian(f, boundary='periodic')",
    "divergence(v)",
    "gradient(f, **lonlat(100 * f[0], f[:, 0].cumsum(0)), stack_dim=0)",
)

#: Calls to export, whether torch reads their code or runs it, and for any width or one.
EXPORTS = [
    ("slopes", True, True),
    ("slopes", False, False),
    ("slopes_in_rows", True, False),
    ("slopes_in_rows", False, True),
    ("second", True, True),
    ("second", False, True),
]


def arrays() -> dict[str, Any]:
    import torch

    def waves(*shape: int) -> Any:
        count = torch.arange(1.0, 1 + torch.Size(shape).numel(), dtype=torch.float64)
        return torch.sin(count**2 / 7).reshape(shape)

    number = 0.3
    if importlib.util.find_spec("numpy"):
        number = importlib.import_module("numpy").float64(number)
    f = waves(9, 11)
    x, y = (torch.arange(1.0, 1 + n, dtype=torch.float64) ** 1.5 for n in (9, 11))
    return {
        "f": f,
        "v": waves(2, 9, 11),
        "w": waves(3, 4, 5, 6),
        "last": waves(9, 11, 2),
        "line": waves(12),
        "n": (100 * f).to(torch.int16),
        "x": x,
        "y": y,
        "z": torch.arange(12.0, dtype=torch.float64) + waves(12) / 3,
        "xy": x[:, None] + waves(9, 11) / 9,
        "column": x[:, None],
        "h": torch.tensor(0.3, dtype=torch.float64),
        "mask": f > -0.5,
        "number": number,
        "k": 0,
    }


def function(call: str) -> Callable[..., Any]:
    """Return a function of all arrays, with a code object of its own."""
    words = ", ".join(arrays())
    made: Callable[..., Any] = eval(
        f"lambda {words}: {call}",
        {name: getattr(anygrad, name) for name in dir(anygrad)},
    )
    return made


class Counted:
    """A function, compiled by a backend that counts its graphs."""

    def __init__(self, function: Callable[..., Any], **keywords: Any) -> None:
        import torch

        self.graphs = 0

        def count(graph: Any, _: Any) -> Any:
            self.graphs += 1
            return graph.forward

        self.call = torch.compile(function, backend=count, fullgraph=True, **keywords)


def difference(results: Any, wanted: Any) -> str:
    """Return in what the results of two calls differ by more than roundings."""
    import torch

    if isinstance(wanted, tuple):
        if type(results) is not tuple or len(results) != len(wanted):
            return f"{type(results).__name__} instead of {len(wanted)} results"
        return "".join(map(difference, results, wanted))
    if type(results) is not type(wanted) or results.dtype != wanted.dtype:
        return f"{type(results)} of {results.dtype}, not {wanted.dtype}"
    if results.shape != wanted.shape:
        return f"shape {tuple(results.shape)}, not {tuple(wanted.shape)}"
    if bool((results.isnan() != wanted.isnan()).any()):
        return "NaN in other places"
    results, wanted = results.nan_to_num(), wanted.nan_to_num()
    off = (results - wanted).abs().max() if wanted.numel() else 0
    most = 16 * torch.finfo(wanted.dtype).eps * (wanted.abs().max() + 1)
    return "" if off <= most else f"off by {float(off)}"


def trial(attempt: Callable[[], str]) -> str:
    """Return what is wrong in an attempt, in a line."""
    try:
        return attempt()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return " | ".join([type(error).__name__, *lines[:4]])
