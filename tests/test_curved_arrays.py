"""Curved coordinates: dtypes, missing samples, memory, laziness, derivatives."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

import anygrad
import oracle
from anygrad import _calls, _dispatch, _kept_plans, _plans
from backends import Backend
from curved_samples import OF_SCALARS, OF_VECTORS
from peaks import peak_of


def test_dtypes(backend: Backend) -> None:
    """Floating factors are promoted with the samples, numbers and integers are not."""
    f = backend.asarray(
        [[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]], "float32"
    )
    column = [[1], [2], [3], [5]]
    for dtype, wanted in (
        ("float32", "float32"),
        ("int32", "float32"),
        ("float64", "float64"),
    ):
        if dtype not in backend.dtypes:
            continue
        h = backend.asarray(column, dtype)
        assert backend.dtype_name(anygrad.laplacian(f, scale_factors=[1, h])) == wanted
        one, two = anygrad.gradient(f, scale_factors=[1, h])
        assert backend.dtype_name(one) == "float32"
        assert backend.dtype_name(two) == wanted
        same = anygrad.gradient(f, scale_factors=[1, h], stack_dim=0)
        assert backend.dtype_name(same) == wanted
        given = anygrad.laplacian(f, scale_factors=[1, h], dtype="float32")
        assert backend.dtype_name(given) == "float32"
    whole = backend.asarray(backend.tolist(f), "int32")
    found = anygrad.laplacian(whole, scale_factors=[1, 2])
    assert backend.dtype_name(found) == backend.default


def test_sixteen_bits_are_rounded_once(library: Backend, half: str) -> None:
    values = [[0, 2048, 4096], [1, 2049, 4098], [3, 2050, 4100], [2, 2052, 4096]]
    column = [[1], [3], [7], [2]]
    f, h = (library.asarray(a, half) for a in (values, column))
    f_wide, h_wide = (library.asarray(library.tolist(a), "float32") for a in (f, h))
    found = anygrad.laplacian(f, scale_factors=[h, 3.0], boundary="edge")
    assert library.dtype_name(found) == half
    wanted = anygrad.laplacian(f_wide, scale_factors=[h_wide, 3.0], boundary="edge")
    rounded = library.asarray(library.tolist(wanted), half)
    assert library.tolist(found) == library.tolist(rounded)


def test_missing_samples(library: Backend) -> None:
    """They are missing as without factors."""
    f = library.asarray([[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0]])
    valid = library.asarray(
        [[True, True, False, True], [True] * 4, [False] * 4], "bool"
    )
    h = library.asarray([[1], [2], [4]])
    found = anygrad.gradient(f, where=valid, scale_factors=[1.0, h])
    plain = anygrad.gradient(f, where=valid)
    with library.current_device(f):
        wanted = [plain[0], plain[1] / h]
    for one, other in zip(found, wanted, strict=True):
        assert repr(library.tolist(one)) == repr(library.tolist(other))


def test_missing_samples_of_one_component(library: Backend) -> None:
    """A mask may have the dim of the components, as the field has."""
    wind = library.asarray(oracle.build((2, 5, 4), lambda k: (7 * sum(k) ** 2) % 11))
    valid = library.asarray(oracle.build((2, 5, 4), lambda k: k != (1, 2, 2)), "bool")
    h = library.asarray([[1.0], [2.0], [4.0], [3.0], [5.0]])
    keywords = {"spacing": 1, "boundary": "one_sided", "dim": None, "axis": None}
    orders = {"accuracy": 2, "edge_order": 2}
    plan = _plans.plan(
        _calls.divergence,
        wind,
        where=valid,
        vector_dim=0,
        scale_factors=[1.0, h],
        **keywords,
        **orders,
    )
    (found,) = plan.executor(wind, plan, plan.namespace)
    with library.current_device(wind):
        flux = wind[0, ...] * h
    down, across = (
        anygrad.derivative(f, dim=k, where=valid[k, ...], edge_order=2)
        for k, f in enumerate((flux, wind[1, ...]))
    )
    with library.current_device(wind):
        wanted = (down + across) / h
    assert repr(library.tolist(found)) == repr(library.tolist(wanted))


@pytest.mark.parametrize(
    ("name", "boundary", "most"),
    [
        ("divergence", "one_sided", 5),
        ("curl", "one_sided", 5),
        ("laplacian", "one_sided", 5),
        ("divergence", ["reflect", "edge", 0.0], 6),
        ("curl", ["reflect", "edge", 0.0], 6),
        ("laplacian", ["reflect", "edge", 0.0], 5),
    ],
)
def test_memory_of_whole_arrays(
    numpy: Any, monkeypatch: pytest.MonkeyPatch, name: str, boundary: Any, most: int
) -> None:
    """Beside the results: so many arrays of the size of a component, as is said."""
    monkeypatch.setattr(_dispatch, "in_one_pass", lambda _: None)
    r, t = numpy.linspace(1, 2, 60), numpy.linspace(0.1, 3, 60)
    wind = numpy.ones((3, 60, 60, 60))
    factors = [1.0, r[:, None, None], r[:, None, None] * numpy.sin(t)[:, None]]
    f, keywords = (wind[0], {}) if name == "laplacian" else (wind, {"vector_dim": 0})
    call = partial(
        getattr(anygrad, name),
        f,
        spacing=[r, t, t],
        scale_factors=factors,
        boundary=boundary,
        **keywords,
    )
    for _ in range(_kept_plans.OFTEN + 2):  # until all is kept that is
        results = call().nbytes
    assert peak_of(call) - results <= most * wind[0].nbytes + 2**18


@pytest.mark.parametrize("name", ["divergence", "curl"])
def test_what_is_missing_does_not_matter(library: Backend, name: str) -> None:
    """Nor where the product rule has the sample of the point itself: there is none.

    That is so near the ends; farther inside, a flux skips its own point as ever.
    """
    h = library.asarray([[1.0], [2.0], [4.0], [3.0], [5.0]])
    holes = ((1, 2), (2, 1))
    valid = library.asarray(
        oracle.build((2, 5, 4), lambda k: k[1:] not in holes), "bool"
    )
    keywords = {"where": valid, "scale_factors": [1.0, h], "boundary": "edge"}
    found = []
    for missing in (0.0, 99.0, math.nan):
        wind = library.asarray(
            oracle.build(
                (2, 5, 4), lambda k, m=missing: sum(k) if k[1:] not in holes else m
            )
        )
        result = library.tolist(getattr(anygrad, name)(wind, **keywords))
        found.append(repr(result))
        missing_at = [math.isnan(value) for value in result[1]]
        assert missing_at == [False, False, True, False]
        assert not math.isnan(result[2][1])
    assert len(set(found)) == 1


def test_dask_computes_nothing(dask: Any, library: Backend) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("computed")

    f, x = (library.asarray(a) for a in ([[1, 2, 4, 9]] * 4, [1, 2, 3, 4]))
    with dask.config.set(scheduler=refuse):
        grid = anygrad.lonlat(library.asarray([0, 90, 180, 270]), x)
        for name in OF_SCALARS:
            getattr(anygrad, name)(f, **grid)


def test_jax_traces_and_differentiates(jax: Any, library: Backend) -> None:
    """In one program, in batches, and in the coordinates of the factors."""
    f = library.asarray([[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]])

    def total(last: Any) -> Any:
        latitude = jax.numpy.concatenate([library.asarray([-60.0, 0.0, 45.0]), last])
        grid = anygrad.lonlat(30.0, latitude, radius=9.0)
        return anygrad.laplacian(f, **grid).sum()

    points = library.asarray([[60.0], [60.5], [59.5]])
    totals, slopes = jax.jit(jax.vmap(jax.value_and_grad(total)))(points)
    chord = float(totals[1] - totals[2])
    assert float(slopes[0, 0]) == pytest.approx(chord, rel=2e-2)


def test_torch_differentiates(torch: Any, library: Backend) -> None:
    """In the samples and in the coordinates of the factors."""
    f = library.asarray(
        [[1, 2, 4, 9], [3, 5, 9, 1], [2, 2, 7, 0], [5, 1, 3, 2]]
    ).detach()
    latitude = library.asarray([-60.0, 0.0, 45.0, 60.0]).detach()

    def found(f: Any, latitude: Any) -> Any:
        return anygrad.laplacian(f, **anygrad.lonlat(30.0, latitude, radius=1.0))

    inputs = [a.double().requires_grad_() for a in (f, latitude)]
    torch.autograd.gradcheck(found, inputs)


@pytest.mark.parametrize("where", [False, True])
@pytest.mark.parametrize("function", OF_VECTORS)
def test_blocks_of_an_array_between_mirrors(
    library: Backend, function: str, where: bool
) -> None:
    """What stands at an end has a say near it only, and a block need not know it."""
    h = [1.0, 3.0, 2.5, 4.0, 1.5, 2.0, 3.5, 1.25, 4.5, 2.25]
    wind = [
        [[(3 * i * i + 7 * j + k) % 11 for j in range(3)] for i in range(10)]
        for k in (0, 1)
    ]
    valid = [[i != 4 or j == 0 for j in range(3)] for i in range(10)]

    def result(start: int, stop: int, *ends: Any) -> Any:
        rows = slice(start, stop)
        factor = library.asarray([[one] for one in h[rows]])
        mask = library.asarray(valid[rows], "bool") if where else None
        return getattr(anygrad, function)(
            library.asarray(
                [[[float(x) for x in row] for row in f[rows]] for f in wind]
            ),
            spacing=0.5,
            scale_factors=[factor, factor],
            boundary=[ends, "periodic"],
            where=mask,
        )

    whole = result(0, 10, "reflect", 2.0)
    first = result(0, 6, "reflect", "ghosts")
    inner = result(1, 9, "ghosts", "ghosts")
    final = result(4, 10, "ghosts", 2.0)
    margin = 2 if where else 1
    for block, start in ((first, 0), (inner, 1 + margin), (final, 4 + margin)):
        stop = start + block.shape[0]
        wanted, found = library.tolist(whole[start:stop, :]), library.tolist(block)
        assert stop in (6 - margin, 9 - margin, 10)
        for one, other in zip(oracle.flat(found), oracle.flat(wanted), strict=True):
            limit = 1e-4 if library.library == "jax" else 0
            assert abs(one - other) <= limit or (math.isnan(one) and math.isnan(other))
