"""Ghosts that the caller brings beside the samples, at either end or at both."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

import anygrad
import oracle
from backends import JAX, Backend

RNG = random.Random(31)
SHAPE = (11, 9)
WHOLE = [[RNG.uniform(-9, 9) for _ in range(9)] for _ in range(11)]
FIELD = [WHOLE, [row[::-1] for row in WHOLE]]
X = list(itertools.accumulate(RNG.uniform(1, 2) for _ in range(11)))
PER_POINT = [[a * (1 + j / 32) for j in range(9)] for a in X]

#: The block is from the fourth to the seventh row.
START, STOP = 3, 7

#: Functions, their keywords for all dims, whether there are coordinates, and the
#: boundary of the last dim.
CALLS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "gradient": ("gradient", {}, None),
    "steps": ("gradient", {"spacing": [0.5, 2.0], "accuracy": 4}, None),
    "lines": ("gradient", {"edge_order": 2}, X),
    "points": ("gradient", {"stack_dim": 1}, PER_POINT),
    "laplacian": ("laplacian", {"edge_order": 1}, X),
    "hessian": ("hessian", {"stack_dim": -1}, PER_POINT),
    "divergence": ("divergence", {"accuracy": 4}, None),
    "curl": ("curl", {"vector_dim": 0}, X),
    "jacobian": ("jacobian", {"spacing": 0.25}, None),
}
OF_VECTORS = ("divergence", "curl", "jacobian")


def rows(values: Any, start: int, stop: int, place: int = 0) -> Any:
    if place:
        return [rows(a, start, stop, place - 1) for a in values]
    return values[start:stop]


def same(library: Backend, found: Any, wanted: Any) -> bool:
    limit = 64 * library.epsilon(library.dtype_name(found)) if _rounds(library) else 0
    return oracle.difference(library.tolist(found), wanted, limit, None) is None


def _rounds(library: Backend) -> bool:
    return library.library in ("jax", "cupy")


@pytest.mark.parametrize("name", CALLS)
def test_the_bits_of_the_whole(library: Backend, name: str) -> None:
    """A block in the middle, and both at the ends, with more ghosts than are read."""
    function, keywords, x = CALLS[name]
    call, place = getattr(anygrad, function), int(function in OF_VECTORS)
    values = FIELD if place else WHOLE
    blocks = [(START, STOP), (0, STOP), (START, 11)]
    for start, stop in blocks[: 1 if _rounds(library) else 3]:

        def block(first: int, last: int) -> Any:
            return library.asarray(rows(values, first, last, place))

        def along(first: int, last: int) -> tuple[Any, ...]:
            return () if x is None else (library.asarray(rows(x, first, last)),)

        count = 2 + (start > 0)
        left = ("ghosts", block(start - count, start), *along(start - count, start))
        right = ("ghosts", block(stop, stop + count), *along(stop, stop + count))
        ends = (left if start else "one_sided", right if stop < 11 else "one_sided")
        given = {**keywords}
        whole = {**keywords}
        if x is not None:
            whole["spacing"] = [*along(0, 11), 0.5]
            given["spacing"] = [*along(start, stop), 0.5]
        wanted = call(block(0, 11), boundary=["one_sided", "periodic"], **whole)
        found = call(block(start, stop), boundary=[ends, "periodic"], **given)
        if not isinstance(found, tuple):
            found, wanted = (found,), (wanted,)
        for result, full in zip(found, wanted, strict=True):
            (axis,) = [k for k, n in enumerate(full.shape) if n == 11]
            own = library.tolist(
                full[(slice(None),) * axis + (slice(start, stop), ...)]
            )
            assert same(library, result, own)


def test_other_ghosts_at_each_call(library: Backend) -> None:
    f = library.asarray([0.0, 1, 4])
    for value in (1.0, -3.0, 1.0):
        left = ("ghosts", library.asarray([value]))
        found = anygrad.derivative(f, boundary=(left, "edge"))
        assert library.tolist(found) == [(1 - value) / 2, 2.0, 1.5]
    # A number or a mode may follow the word of one end.
    found = anygrad.derivative(f, boundary=("ghosts", 6.0))
    assert library.tolist(found) == [2.0, 2.5]


def test_a_fold(library: Backend) -> None:
    """A tripolar grid: its last row is joined to itself, turned around."""
    f = library.asarray([[0.0, 1, 2, 3], [5, 7, 1, 2]])
    turned = library.xp.flip(f[-1:, :], axis=1)
    found = anygrad.derivative(
        f, dim=0, boundary=("one_sided", ("ghosts", turned)), edge_order=1
    )
    assert library.tolist(found) == [[5.0, 6, -1, -1], [1.0, 0, 2.5, 1]]


def test_a_single_row_between_ghosts(library: Backend) -> None:
    f = library.asarray([[4.0]])
    ghosts = [library.asarray([[a]]) for a in (1.0, 9.0)]
    ends: Any = tuple([("ghosts", g) for g in ghosts])
    assert library.tolist(anygrad.derivative(f, dim=0, boundary=ends)) == [[4.0]]


def test_what_is_infinite_in_the_dtype_of_the_samples(numpy: Any) -> None:
    """It is no reason to warn, as among the samples."""
    f, beyond = numpy.zeros(3, "float32"), numpy.asarray([1e300])
    (result,) = anygrad.gradient(f, boundary=(("ghosts", beyond), "edge"))
    assert result.tolist() == [-numpy.inf, 0, 0]


def test_dtypes(library: Backend, numpy: Any) -> None:
    """Those of the samples hold, and NumPy's ghosts go with all."""
    for dtype, other in ((library.real, library.integer), (library.integer, "int32")):
        f = library.asarray([0, 1, 4], dtype)
        wanted = anygrad.derivative(f, boundary=(-1.0, "edge"))
        for ghost in (library.asarray([-1], other), numpy.asarray([-1], other)):
            found = anygrad.derivative(f, boundary=(("ghosts", ghost), "edge"))
            assert library.dtype_name(found) == library.dtype_name(wanted)
            assert library.tolist(found) == library.tolist(wanted)
    f, x = library.asarray([0.0, 1, 4]), numpy.asarray([1.0, 2, 4])
    left = ("ghosts", library.asarray([-1.0]), numpy.asarray([0]))
    found = anygrad.derivative(f, spacing=x, boundary=(left, "one_sided"))
    assert library.tolist(found)[0] == 1.0


F, G, C = "f", "g", "c"


@pytest.mark.parametrize(
    ("boundary", "keywords", "error", "message"),
    [
        (("ghosts", G), {}, ValueError, "must say at which end the ghosts lie"),
        ((("ghosts", [1.0]), "edge"), {}, TypeError, "must have an array as its gh"),
        ((("ghosts", G, F), "edge"), {}, ValueError, "`spacing` is a step"),
        ((("ghosts", G), "edge"), {"spacing": F}, ValueError, "must have the coord"),
        ((("ghosts", G, [1]), "edge"), {"spacing": F}, TypeError, "array as the coord"),
        (
            (("ghosts", G, F), "edge"),
            {"spacing": F},
            ValueError,
            "coordinate per ghost",
        ),
        ((("ghosts", G), "edge"), {"accuracy": 4}, ValueError, r"the shape \(2,\), or"),
        ((("ghosts", C), "edge"), {}, TypeError, "dtype that `input` can hold"),
        ((("ghosts", G, C), "edge"), {"spacing": F}, TypeError, "`spacing` can hold"),
        ((("ghosts", G), "edge"), {"where": True}, ValueError, "`where` must be None"),
        ((("ghosts", G), "periodic"), {}, ValueError, "'periodic' at both ends"),
        ((("ghosts", G), "edgy"), {}, ValueError, "Do you mean 'edge'"),
        ((("ghosts", G), "edge"), {"accuracy": 3}, ValueError, "`accuracy` must be"),
        ((("ghosts", G), "edge"), {"dtype": "no"}, TypeError, "`dtype` must be"),
    ],
    ids=str,
)
def test_refusals(
    library: Backend, boundary: Any, keywords: Any, error: type, message: str
) -> None:
    f = library.asarray([0.0, 1, 4])
    names = {
        F: f,
        G: library.asarray([1.0]),
        C: library.asarray([1.0], library.complex),
    }

    def put(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple([put(a) for a in value])
        return names.get(value, value) if isinstance(value, str) else value

    given = {k: put(v) for k, v in keywords.items()}
    if "where" in given:
        given["where"] = f > 0
    with pytest.raises(error, match=message):
        anygrad.derivative(f, boundary=put(boundary), **given)


def test_a_bare_pair_for_two_dims(library: Backend) -> None:
    f = library.asarray([[0.0, 1], [4, 2]])
    pair = (("ghosts", f), "edge")
    # As one entry per dim, the ghosts would lie at no end.
    message = r"must not be a bare pair for 2 dims.* every dim, write `\[.*\] \* 2`\.$"
    with pytest.raises(ValueError, match=message):
        anygrad.gradient(f, boundary=pair)


def test_no_dims(library: Backend) -> None:
    """Ghosts at their ends are none, and what refuses a call without dims does so."""
    f = library.asarray([0.0, 1, 4])
    pair = (("ghosts", f[:1]), "edge")
    assert anygrad.gradient(f, dim=(), boundary=pair) == ()
    with pytest.raises(ValueError, match="`dim` must name two or three dims"):
        anygrad.curl(f, boundary=pair)


def call(f: Any, left: Any, right: Any, x: Any) -> Any:
    """Return what depends on samples, ghosts and coordinates at both ends."""
    ends = (("ghosts", left, 1 - x[:2]), ("ghosts", right, 9 + x[:2]))
    both: list[Any] = [ends, "symmetric"]
    return anygrad.laplacian(f, spacing=[x, 0.5], boundary=both)


def test_torch(torch: Any) -> None:
    parts = [rows(WHOLE, *cut) for cut in ((3, 7), (1, 3), (7, 9))]
    given = [torch.tensor(a, dtype=torch.float64) for a in (*parts, X[:4])]
    given[3] = torch.cumsum(given[3], 0) / 5
    wanted = call(*given)
    compiled = torch.compile(call, backend="eager", fullgraph=True)
    assert torch.equal(compiled(*given), wanted)
    assert torch.autograd.gradcheck(call, [a.requires_grad_() for a in given])


def test_jax(jax: Any) -> None:
    import jax.numpy as jnp

    with JAX("", x64=True).active():
        parts = [rows(WHOLE, *cut) for cut in ((3, 7), (1, 3), (7, 9))]
        given = [jnp.asarray(a) for a in (*parts, X[:4])]
        assert jnp.allclose(jax.jit(call)(*given), call(*given), rtol=1e-12)
        backward = jax.jacrev(call, (0, 1, 2, 3))(*given)
        forward = jax.jacfwd(call, (0, 1, 2, 3))(*given)
        assert all(map(jnp.allclose, backward, forward))
        batch = jnp.stack([given[1], 2 * given[1]])
        mapped = jax.vmap(call, (None, 0, None, None))(given[0], batch, *given[2:])
        assert jnp.allclose(mapped[0], call(*given), rtol=1e-12)


def test_dask_stays_lazy(dask: Any) -> None:
    import dask.array as da
    import numpy as np

    f = da.from_array(np.asarray(rows(WHOLE, 3, 7)), chunks=(3, 4))
    ghosts = da.from_array(np.asarray(rows(WHOLE, 2, 3)), chunks=1)
    (found,) = anygrad.gradient(f, dim=0, boundary=[(("ghosts", ghosts), "edge")])
    assert found.chunks == f.chunks
    wanted = anygrad.derivative(np.asarray(WHOLE)[:7], dim=0, boundary="edge")[3:]
    assert (found.compute() == wanted).all()


def test_quantities(numpy: Any) -> None:
    pint = pytest.importorskip("pint")
    units = pint.UnitRegistry()
    f, x = numpy.asarray([1.0, 4, 9]) * units.m, numpy.asarray([1.0, 2, 3]) * units.s
    left = ("ghosts", numpy.asarray([0.0]) * units.km, numpy.asarray([0.0]) * units.ms)
    right = ("ghosts", numpy.asarray([1600.0]) * units.cm, [4.0] * units.s)
    found = anygrad.derivative(f, spacing=x, boundary=(left, right))
    assert found.units == units.m / units.s
    assert found.magnitude.tolist() == [2.0, 4, 6]


def test_labelled_arrays() -> None:
    """Their results keep all labels, because the ghosts have none."""
    xarray = pytest.importorskip("xarray")
    import anygrad.xarray

    data = xarray.DataArray([1.0, 4, 9], {"x": [1.0, 2, 3]}, "x")
    left = ("ghosts", data.data[:1] - 1, data.data[:1] - 1)
    found = anygrad.xarray.derivative(data, "x", boundary=(left, "one_sided"))
    assert found.data.tolist()[:2] == [2.0, 4]
    assert found.x.data.tolist() == [1.0, 2, 3]


def test_along_two_dims(library: Backend) -> None:
    """What lies beyond both ends is read by a Hessian only."""
    rows = [[3.0, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]]
    whole = library.asarray(rows)
    above = library.asarray([rows[0][1:]])
    left = library.asarray([[row[0]] for row in rows[1:]])
    f = library.asarray([row[1:] for row in rows[1:]])
    given = [(("ghosts", above), "one_sided"), (("ghosts", left), "one_sided")]
    for door in (anygrad.gradient, anygrad.laplacian):
        found = door(f, boundary=given)
        wanted = door(whole, boundary=[("ghosts", "one_sided")] * 2)
        if not isinstance(found, tuple):
            found, wanted = (found,), (wanted,)
        for one, other in zip(found, wanted, strict=True):
            assert library.tolist(one) == library.tolist(other)
    with pytest.raises(ValueError, match=r"^`boundary` must bring ghosts for one dim"):
        anygrad.hessian(f, boundary=given)


def test_beside_an_array(library: Backend) -> None:
    """At the other end of the same dim, in either order."""
    f, row = library.asarray([[1.0, 4], [9, 16]]), library.asarray([[5.0, 7]])
    for ends in ((("ghosts", row), row), (row, ("ghosts", row))):
        found = anygrad.gradient(f, dim=0, boundary=[ends])[0]
        wanted = anygrad.gradient(f, dim=0, boundary=[(row, row)])[0]
        assert library.tolist(found) == library.tolist(wanted)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("spacing[1]", lambda one: {"spacing": [1, one]}),
        ("boundary[1]", lambda one: {"values": one[:, :1]}),
        ("scale_factors[0]", lambda one: {"scale_factors": [one, 1.0]}),
    ],
)
def test_what_varies_along_ghosts(library: Backend, name: str, keywords: Any) -> None:
    """It would have to say something of the ghosts, too."""
    f = library.asarray([[1.0, 2, 4], [1, 3, 5], [2, 3, 4]])
    given = keywords(f)
    ends = [(("ghosts", f[:1, :]), "one_sided"), given.pop("values", "one_sided")]
    with pytest.raises(ValueError, match="must not vary along `dim` 0") as caught:
        anygrad.gradient(f, boundary=ends, **given)
    assert str(caught.value).startswith(f"`{name}` must not vary along `dim` 0, for ")


def test_a_value_without_dims_is_no_ghosts(library: Backend) -> None:
    """It is beyond the other end of a block, as a number is."""
    f, value = library.asarray([1.0, 4, 9, 16]), library.asarray(5.0)
    wanted = anygrad.derivative(f, boundary=("ghosts", 5.0))
    for ends in (("ghosts", value), [("ghosts", value)]):
        (found,) = anygrad.gradient(f, boundary=ends)
        assert library.tolist(found) == library.tolist(wanted) == [4.0, 6, -2]
    turned = library.xp.flip(f, axis=0)
    found = anygrad.derivative(turned, spacing=-1, boundary=(value, "ghosts"))
    assert library.tolist(found) == [-2.0, 6, 4]


def test_a_value_of_each_line_beside_ghosts_among_the_samples(library: Backend) -> None:
    """A word beside an array is ghosts without an end; the message says what is not."""
    xp, rows = library.xp, [[1.0, 4, 9, 16, 25], [2, 3, 5, 7, 11]]
    whole, values = library.asarray(rows), library.asarray([[3.0], [-2]])
    turned = anygrad.derivative(
        xp.flip(whole, axis=1), spacing=-1, boundary=(values, "ghosts")
    )
    wanted = library.tolist(xp.flip(turned, axis=1))
    with pytest.raises(ValueError, match=r"take them out of `input`: write ") as told:
        anygrad.derivative(whole, boundary=("ghosts", values))
    assert "`(('ghosts', samples), values)`" in str(told.value)
    ends = (("ghosts", whole[:, :1]), values)
    found = anygrad.derivative(whole[:, 1:], boundary=ends)
    assert library.tolist(found) == wanted
    where = whole != 9
    with pytest.raises(ValueError, match=r"^`where` must be .* write 'ghosts'\.$"):
        anygrad.derivative(whole, boundary=("ghosts", values), where=where)
    joined = xp.concat([whole, values, values], axis=1)
    found = anygrad.derivative(joined, boundary="ghosts", where=joined != 9)
    assert library.tolist(found) == [[6.0, 24.5, -6.5], wanted[1][1:]]


class Word(str):
    """Such as `numpy.str_`, of an array of words, and the members of an enumeration."""

    __slots__ = ()


def test_the_tag_is_a_word_of_any_class(backend: Backend) -> None:
    """As every other word is; beside values it was taken for ghosts among samples."""
    f, ghosts, values = map(backend.asarray, ([0.0, 1, 4, 9], [-2.0], [7.0]))
    word = Word("ghosts")
    found = anygrad.derivative(f, boundary=((word, ghosts), "edge"))
    assert backend.tolist(found) == [1.5, 2.0, 4.0, 2.5]
    found = anygrad.derivative(f, boundary=((word, ghosts), values))
    assert backend.tolist(found) == [1.5, 2.0, 4.0, 1.5]
    with pytest.raises(ValueError, match=r"^`boundary` must say at which end"):
        anygrad.derivative(f, boundary=(word, values))
