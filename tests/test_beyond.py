"""Arrays beyond the ends: values and periods, one for each line or for all."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad
import oracle
from backends import JAX, Backend

ROWS = [[0.0, 1, 4, 2, 7, 3, 5], [3, 5, 1, 8, 2, 6, 4], [1, 1, 2, 9, 5, 7, 0]]
X = [0.0, 1, 3, 4, 6, 7, 9]
VALUES, OTHERS, PERIODS = [[2.0], [-1], [5]], [[0.5], [7], [3]], [[12.0], [13], [14]]

#: A boundary with "v", "w" and "p" for the values, the others and the periods.
CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "value": ("v", {}),
    "pair": (("v", "w"), {"accuracy": 4}),
    "one end": (("reflect", "w"), {"order": 2, "edge_order": 1}),
    "beside a number": ((1.5, "w"), {"spacing": 0.5}),
    "one-sided": (("v", "one_sided"), {"order": 2, "accuracy": 4}),
    "coordinates": ("v", {"spacing": X}),
    "period": (("periodic", "p"), {"spacing": X}),
    "period of higher order": (
        ("periodic", "p"),
        {"spacing": X, "order": 2, "accuracy": 4},
    ),
}


def filled(boundary: Any, given: dict[str, Any]) -> Any:
    """Return a boundary with values in the places of their names."""
    if isinstance(boundary, tuple):
        return tuple([filled(entry, given) for entry in boundary])
    return given.get(boundary, boundary) if isinstance(boundary, str) else boundary


def near(library: Backend, found: Any, wanted: Any) -> bool:
    limit = 8 * library.epsilon(library.dtype_name(found))
    return oracle.difference(library.tolist(found), wanted, limit, None) is None


def spaced(library: Backend, keywords: dict[str, Any]) -> dict[str, Any]:
    x = keywords.get("spacing", 1)
    return {**keywords, "spacing": library.asarray(x) if isinstance(x, list) else x}


@pytest.mark.parametrize("name", CALLS)
def test_each_line_has_its_own(library: Backend, name: str) -> None:
    """As with a number for each line; the latest call is not remembered."""
    boundary, keywords = CALLS[name]
    f, given = library.asarray(ROWS), spaced(library, keywords)

    def lines(sign: int) -> list[Any]:
        found = []
        for k, row in enumerate(ROWS):
            v, w, p = (float(a[k][0]) for a in (VALUES, OTHERS, PERIODS))
            ends = filled(boundary, {"v": sign * v, "w": sign * w, "p": p + sign})
            result = anygrad.derivative(library.asarray(row), boundary=ends, **given)
            found.append(library.tolist(result))
        return found

    def together(sign: int) -> Any:
        ends = {
            "v": library.asarray([[sign * a[0]] for a in VALUES]),
            "w": library.asarray([[sign * a[0]] for a in OTHERS]),
            "p": library.asarray([[a[0] + sign] for a in PERIODS]),
        }
        return anygrad.derivative(f, boundary=filled(boundary, ends), **given)

    for sign in (1, -1, 1, -1):
        assert near(library, together(sign), lines(sign))


@pytest.mark.parametrize("value", [2.0, -3.0])
def test_one_for_all(library: Backend, value: float) -> None:
    """Of no dims, of other dtypes, and NumPy's beside any library."""
    f, x = library.asarray(ROWS), library.asarray(X)
    wanted = library.tolist(anygrad.derivative(f, boundary=value))
    turn = library.tolist(
        anygrad.derivative(f, spacing=x, boundary=("periodic", 14.0 + value))
    )
    for dtype in {library.real, "float32", library.integer}:
        for shape in ((), (1,), (1, 1)):
            given = library.asarray(value, dtype, shape)
            found = anygrad.derivative(f, boundary=given)
            assert library.dtype_name(found) == library.real
            assert near(library, found, wanted)
            period = library.asarray(14.0 + value, dtype, shape)
            found = anygrad.derivative(f, spacing=x, boundary=("periodic", period))
            assert near(library, found, turn)


def test_numpys_beside_any_library(library: Backend, numpy: Any) -> None:
    f, x = library.asarray(ROWS), library.asarray(X)
    values, periods = numpy.asarray(VALUES), numpy.asarray(PERIODS)
    for _ in range(2):  # what is written to between two calls is seen
        own = library.asarray(values.tolist())
        found = anygrad.derivative(f, boundary=("edge", values))
        wanted = library.tolist(anygrad.derivative(f, boundary=("edge", own)))
        assert near(library, found, wanted)
        own = library.asarray(periods.tolist())
        found = anygrad.derivative(f, spacing=x, boundary=("periodic", periods))
        one = anygrad.derivative(f, spacing=x, boundary=("periodic", own))
        assert near(library, found, library.tolist(one))
        values += 1.0
        periods += 1.0


def test_a_circle_on_each_latitude(library: Backend) -> None:
    """Meridians meet: the distances differ from line to line, and so do the turns."""
    f = library.asarray([[0.0, 1, 0, -1]] * 2)
    x = library.asarray([[0.0, 1, 2, 3], [0, 0.5, 1, 1.5]])
    turn = library.asarray([[4.0], [2]])
    found = anygrad.derivative(f, spacing=x, boundary=("periodic", turn))
    assert near(library, found, [[1.0, 0, -1, 0], [2, 0, -2, 0]])


def test_a_lid(library: Backend) -> None:
    """Each component of a field has its own values."""
    f = library.asarray([[ROWS[0][:4], ROWS[1][:4]], [ROWS[2][:4], ROWS[0][1:5]]])
    lid = library.asarray([[[1.0]], [[0]]])
    each = [
        anygrad.derivative(f[k, ...], dim=0, boundary=("edge", 1.0 - k)) for k in (0, 1)
    ]
    across = [anygrad.derivative(f[k, ...], boundary="edge") for k in (0, 1)]
    both: list[Any] = [("edge", lid), "edge"]
    jacobian = anygrad.jacobian(f, boundary=both)
    for k in (0, 1):
        assert near(library, jacobian[k, 0, ...], library.tolist(each[k]))
        assert near(library, jacobian[k, 1, ...], library.tolist(across[k]))
    curl = anygrad.curl(f, boundary=both)
    assert near(library, curl, library.tolist(each[1] - across[0]))
    total = anygrad.divergence(f, boundary=both)
    assert near(library, total, library.tolist(each[0] + across[1]))


def test_mixed_derivatives(library: Backend) -> None:
    """Those of values that differ along the other dim are differences of them."""
    f, xp = library.asarray(ROWS), library.xp
    beyond = library.asarray([[1.0], [4], [-2]])
    found = anygrad.hessian(f, boundary=["symmetric", ("edge", beyond)])[0, 1, ...]
    padded = xp.concat([f[:, :1], f, beyond], axis=1)
    slopes = anygrad.derivative(padded, dim=0, boundary="symmetric")
    wanted = (slopes[:, 2:] - slopes[:, :-2]) / 2
    assert near(library, found, library.tolist(wanted))
    # Where both dims have values, those of the outer one go on around the corner.
    across = library.asarray([ROWS[0][::-1]])
    found = anygrad.hessian(f, boundary=[across, ("edge", beyond)])[0, 1, ...]
    corner = xp.concat([across[:, :1], across, beyond[:1, :]], axis=1)
    last = xp.concat([across[:, :1], across, beyond[-1:, :]], axis=1)
    around = xp.concat([corner, padded, last], axis=0)
    slopes = (around[2:, :] - around[:-2, :]) / 2
    wanted = (slopes[:, 2:] - slopes[:, :-2]) / 2
    assert near(library, found, library.tolist(wanted))


def test_with_a_mask(library: Backend) -> None:
    f, beyond = library.asarray(ROWS), library.asarray(VALUES)
    valid = library.asarray([[1, 1, 0, 1, 1, 1, 1]] * 3, library.integer) != 0
    found = library.tolist(anygrad.derivative(f, where=valid, boundary=beyond))
    for k, row in enumerate(ROWS):
        one = anygrad.derivative(
            library.asarray(row), where=valid[k, :], boundary=VALUES[k][0]
        )
        assert oracle.difference(found[k], library.tolist(one), 1e-6, None) is None


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((3,), ValueError, r"to the shape \(3, 1\)\. Got shape \(3,\)\. .*\[:, None\]"),
        ((3, 2), ValueError, r"along dimension 1, that is to the shape \(3, 1\)"),
        ((2, 1), ValueError, r"Got shape \(2, 1\)"),
        ((1, 3, 1), ValueError, r"Got shape \(1, 3, 1\)"),
    ],
    ids=str,
)
def test_shapes(
    library: Backend, shape: tuple[int, ...], error: type, message: str
) -> None:
    f, x = library.asarray(ROWS), library.asarray(X)
    count = 1
    for n in shape:
        count *= n
    given = library.from_flat([9.0] * count, library.real, shape)
    for keywords in (
        {"boundary": given},
        {"boundary": ("edge", given)},
        {"boundary": ("periodic", given), "spacing": x},
    ):
        with pytest.raises(error, match=message):
            anygrad.derivative(f, **keywords)


def test_dtypes(library: Backend) -> None:
    f, x = library.asarray(ROWS), library.asarray(X)
    turned = library.asarray(VALUES, library.complex)
    with pytest.raises(TypeError, match="`boundary` must be real for a real `input`"):
        anygrad.derivative(f, boundary=turned)
    with pytest.raises(TypeError, match="`boundary` must have a real period"):
        anygrad.derivative(f, spacing=x, boundary=("periodic", turned))
    with pytest.raises(TypeError, match="`boundary` must have an integer, real float"):
        anygrad.derivative(f, boundary=f[:, :1] > 0)
    g = library.asarray(ROWS, library.complex)
    found = anygrad.derivative(g, boundary=library.asarray(VALUES))
    assert near(library, found, library.tolist(anygrad.derivative(g, boundary=turned)))


def test_times(numpy: Any) -> None:
    """NumPy calls a length of time an integer."""
    f, x = numpy.asarray(ROWS), numpy.asarray(X)
    for period in (numpy.timedelta64(1, "s"), numpy.ones((3, 1), "timedelta64[s]")):
        with pytest.raises(TypeError, match=r"`boundary` must have .*timedelta64"):
            anygrad.derivative(f, spacing=x, boundary=("periodic", period))


# Traced and differentiated.


def of_ends(value: Any, period: Any, f: Any, x: Any) -> Any:
    """Return what depends on values and on periods."""
    first = anygrad.derivative(f, boundary=("edge", value), order=2)
    both = anygrad.hessian(f, boundary=["symmetric", value], stack_dim=-1)
    turned = anygrad.derivative(f, spacing=x, boundary=("periodic", period), accuracy=4)
    return first + turned + both[..., 0, 1]


def test_torch_derivatives(torch: Any) -> None:
    given = [torch.tensor(a, dtype=torch.float64) for a in (VALUES, PERIODS, ROWS, X)]
    for tensor in given:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(of_ends, given, check_forward_ad=True)
    alone = [a.detach() for a in given]
    single = [torch.tensor(9.5, dtype=torch.float64, requires_grad=True)] * 2
    assert torch.autograd.gradcheck(lambda a: of_ends(a, a, *alone[2:]), single[:1])
    batch = torch.stack([alone[0], 2 * alone[0]])
    wanted = torch.stack([of_ends(v, *alone[1:]) for v in batch])
    mapped = torch.func.vmap(of_ends, (0, None, None, None))(batch, *alone[1:])
    assert torch.allclose(mapped, wanted, rtol=1e-12)


def test_torch_derivatives_beside_a_mask(torch: Any) -> None:
    """What is beyond an end gives no NaN to coordinates, next to holes either."""
    x, f = torch.asarray(X, requires_grad=True), torch.asarray(ROWS * 2)
    found = anygrad.hessian(
        f,
        spacing=[1, x],
        boundary=["one_sided", torch.asarray(VALUES * 2)],
        where=torch.asarray([[True], [False], [False], [True], [True], [True]]),
    )
    assert found.isnan().any()
    (slopes,) = torch.autograd.grad(found[~found.isnan()].sum(), x)
    assert slopes.isfinite().all()


def test_torch_compiles_them(torch: Any) -> None:
    given = [torch.tensor(a, dtype=torch.float64) for a in (VALUES, PERIODS, ROWS, X)]
    compiled = torch.compile(of_ends, backend="eager", fullgraph=True)
    for factor in (1.0, 2.0):
        ends = [factor * a for a in given[:2]]
        found, wanted = (call(*ends, *given[2:]) for call in (compiled, of_ends))
        assert torch.equal(found, wanted)


def test_jax_derivatives(jax: Any) -> None:
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        v, p, f, x = map(jnp.asarray, (VALUES, PERIODS, ROWS, X))
        traced = jax.jit(of_ends)
        backward = jax.jacrev(traced, (0, 1))(v, p, f, x)
        forward = jax.jacfwd(traced, (0, 1))(v, p, f, x)
        for k, h in ((0, 1e-4), (1, 1e-4)):
            assert jnp.allclose(backward[k], forward[k], rtol=1e-12)
            step = [h * (j == k) for j in (0, 1)]
            ends = [of_ends(v + s * step[0], p + s * step[1], f, x) for s in (1, -1)]
            slope = (ends[0] - ends[1]) / (2 * h)
            assert jnp.allclose(backward[k].sum((2, 3)), slope, atol=1e-6)
        batch = jnp.stack([v, 2 * v])
        mapped = jax.jit(jax.vmap(of_ends, (0, None, None, None)))(batch, p, f, x)
        wanted = jnp.stack([of_ends(one, p, f, x) for one in batch])
        assert jnp.allclose(mapped, wanted, rtol=1e-12)


def test_jax_compiles_once(jax: Any) -> None:
    """Values are arguments of a program, and no constants in it."""
    import jax.numpy as jnp

    from anygrad._executors import in_jax

    f = jnp.asarray(ROWS)
    anygrad.derivative(f, boundary=jnp.asarray(VALUES))
    before = in_jax._program.cache_info().misses
    for factor in (2.0, 3.0):
        anygrad.derivative(f, boundary=factor * jnp.asarray(VALUES))
    assert in_jax._program.cache_info().misses == before


def test_dask_stays_lazy(dask: Any) -> None:
    import dask.array as da
    import numpy as np

    f = da.from_array(np.asarray(ROWS), chunks=(2, 3))
    values = da.from_array(np.asarray(VALUES), chunks=(1, 1))
    (found,) = anygrad.gradient(f, dim=1, boundary=values)
    assert found.chunks == f.chunks
    wanted = anygrad.derivative(np.asarray(ROWS), boundary=np.asarray(VALUES))
    assert (found.compute() == wanted).all()
    last = anygrad.derivative(f, boundary=values[0, 0])
    assert (last.compute()[0] == wanted[0]).all()


def test_numba_compiles_them(numpy: Any) -> None:
    pytest.importorskip("numba")
    f, v = numpy.asarray(ROWS), numpy.asarray(VALUES)
    f, v = numpy.tile(f, (1, 40)), numpy.asarray(VALUES)
    both: list[Any] = ["symmetric", (v, "edge")]
    wanted = [anygrad.laplacian(f, boundary=both), anygrad.hessian(f, boundary=both)]
    with anygrad.set_compiler("numba"):
        for _ in range(2):
            found = anygrad.laplacian(f, boundary=both)
            assert (found == wanted[0]).all()
            assert (anygrad.hessian(f, boundary=both) == wanted[1]).all()


def test_values_beside_a_mask(library: Backend) -> None:
    """A mixed derivative takes the row of the mask that goes on beyond an end."""
    f = library.asarray([[1.0, 4, 2, 8], [9, 16, 3, 1], [5, 1, 7, 2], [2, 6, 4, 3]])
    ends = ["one_sided", library.asarray([[1.0], [2], [3], [4]])]
    found = anygrad.hessian(f, boundary=ends, where=f > 0)
    assert library.tolist(found) == library.tolist(anygrad.hessian(f, boundary=ends))


def test_a_period_of_the_outer_dim(library: Backend) -> None:
    """In a mixed derivative, on Dask as well."""
    f = library.asarray([[1.0, 4, 2, 8], [9, 16, 3, 1], [5, 1, 7, 2], [2, 6, 4, 3]])
    x, period = library.asarray([0.0, 1, 2, 3]), library.asarray([[4.0]])
    number, array = (
        anygrad.hessian(f, spacing=[1, x], boundary=["one_sided", ("periodic", given)])
        for given in (4.0, period)
    )
    assert library.tolist(array) == library.tolist(number)
