"""Masked arrays: the mask is `where`, and what gets no formula is masked."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import pytest

import anygrad

SAMPLES = [0.0, 1, 4, 9, 99, 25, 99, 99, 64]
MASK = [False, False, False, False, True, False, True, True, False]
#: One-sided next to what is missing, and a masked sample between two valid ones has its
#: central difference; the last one has no neighbour.
SLOPES = [1.0, 2, 4, 5, 8, None, None, None, None]


@pytest.fixture
def f(numpy: Any) -> Any:
    return numpy.ma.masked_array(SAMPLES, mask=MASK, fill_value=-1.0)


def test_the_mask_is_where(f: Any, numpy: Any) -> None:
    before = f.copy()
    (result,) = anygrad.gradient(f)
    assert isinstance(result, numpy.ma.MaskedArray)
    assert result.tolist() == SLOPES
    assert result.fill_value == -1.0
    assert f.tolist() == before.tolist()
    assert anygrad.derivative(f, edge_order=1).tolist() == SLOPES
    plain = anygrad.gradient(f.data, where=~f.mask)[0]
    assert numpy.array_equal(result.filled(numpy.nan), plain, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64", "int16"])
def test_what_nobody_has_set_fills_the_holes(numpy: Any, dtype: str) -> None:
    """NumPy's 1e20 is no float16, as which it warned."""
    f = numpy.ma.masked_array(SAMPLES, mask=MASK, dtype=dtype)
    for result in (anygrad.gradient(f)[0], anygrad.derivative(f, edge_order=1)):
        assert result.tolist() == SLOPES
        assert result.fill_value == numpy.ma.default_fill_value(result.dtype)


def test_derived_classes_are_kept(numpy: Any) -> None:
    class Derived(numpy.ma.MaskedArray):
        """Another name, and methods."""

    f = numpy.ma.masked_array(SAMPLES, mask=MASK, fill_value=-1.0).view(Derived)
    for result in (anygrad.gradient(f)[0], anygrad.gradient(f, stack_dim=0)[0]):
        assert type(result) is Derived
        assert result.tolist() == SLOPES
        assert result.fill_value == -1.0


def test_what_derived_classes_carry_along_is_not_lost(numpy: Any) -> None:
    class Labelled(numpy.ma.MaskedArray):
        """One with a label for each array."""

        def __array_finalize__(self, other: Any) -> None:
            super().__array_finalize__(other)
            self.label = getattr(other, "label", None)

    f = numpy.ma.masked_array(SAMPLES, mask=MASK).view(Labelled)
    f.label = "height"
    with pytest.raises(
        TypeError, match=r"^`input` must be a plain array: what a "
    ) as e:
        anygrad.gradient(f)
    assert str(e.value).endswith("Convert it first, e.g. with `numpy.ma.asarray`.")
    assert anygrad.gradient(numpy.ma.asarray(f))[0].tolist() == SLOPES


def test_along_each_dim(numpy: Any) -> None:
    """With coordinates, another boundary, in one array, and integers."""
    rng = numpy.random.default_rng(3)
    values, mask = rng.integers(0, 99, (5, 6)), rng.random((5, 6)) < 0.3
    f = numpy.ma.masked_array(values, mask=mask)
    keywords: dict[str, Any] = {
        "spacing": [0.5, numpy.asarray([0.0, 1, 3, 4, 7, 8])],
        "boundary": ["reflect", ("periodic", 9.0)],
        "edge_order": 2,
        "stack_dim": 0,
    }
    result = anygrad.gradient(f, **keywords)
    wanted = anygrad.gradient(values, where=~mask, **keywords)
    assert numpy.array_equal(result.data, wanted, equal_nan=True)
    assert numpy.array_equal(result.mask, numpy.isnan(wanted))
    assert result.mask.any()
    assert not result.mask.all()


def test_invalid_values_are_no_mask(f: Any, numpy: Any) -> None:
    """A NaN that is valid is a value: the result is NaN there, and not masked."""
    f[1] = numpy.nan
    (result,) = anygrad.gradient(f)
    assert numpy.isnan(result.data[[0, 1, 2]]).tolist() == [True, False, True]
    assert result.mask.tolist() == [slope is None for slope in SLOPES]


#: Calls on samples of shape (4, 4) whose grid, or what lies beyond it, makes some
#: results infinite or NaN, masks or not.
INFINITE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "equal coordinates": lambda a: {"spacing": [1.0, a([0.0, 1, 1, 2])]},
    "for each point": lambda a: {"spacing": [a([[0.0], [1], [1], [2]]), 1.0]},
    "no coordinate": lambda a: {"spacing": [a([0, 1, math.nan, 2]), 1]},
    "a circle": lambda a: {
        "spacing": (a([0.0, 1, 1, 2]), 1),
        "boundary": [("periodic", a(3.0)), "one_sided"],
    },
    "a step of zero": lambda a: {"spacing": a(0.0)},
    "a value that is NaN": lambda a: {"boundary": [(math.nan, "edge"), "one_sided"]},
    "some are NaN": lambda a: {
        "boundary": ["one_sided", (a([[1.0], [math.nan], [2], [3]]), "one_sided")]
    },
    "a pole": lambda a: {"scale_factors": [2.0, a([[0.0], [1], [2], [3]])]},
    "a factor of zero": lambda a: {"scale_factors": [a(0.0), 1.0]},
}


@pytest.mark.parametrize("name", INFINITE)
def test_what_the_grid_makes_infinite_is_not_masked(numpy: Any, name: str) -> None:
    """It has a formula: what has none is masked, and nothing else."""
    values = numpy.asarray([[0.0, 1, 4, 9], [2, 3, 5, 7], [1, 1, 2, 3], [5, 8, 6, 4]])
    mask = numpy.zeros((4, 4), bool)
    mask[3, 3] = True
    f = numpy.ma.masked_array(values, mask=mask)
    keywords = INFINITE[name](numpy.asarray)
    plain = anygrad.gradient(values, where=~mask, **keywords)
    assert not all(numpy.isfinite(one[~mask]).all() for one in plain)
    for results in (
        anygrad.gradient(f, **keywords),
        anygrad.gradient(numpy.ma.masked_array(values), where=~mask, **keywords),
    ):
        for result, wanted in zip(results, plain, strict=True):
            assert numpy.array_equal(result.data, wanted, equal_nan=True)
            assert numpy.array_equal(result.mask, mask)


def test_beside_a_given_mask(f: Any, numpy: Any) -> None:
    """What either of them leaves out is left out."""
    where = numpy.asarray([True] * 8 + [False])
    where[0] = False
    (result,) = anygrad.gradient(f, where=where)
    assert result.tolist() == [None, 3.0, 4.0, 5.0, 8.0, None, None, None, None]
    whole = numpy.ma.masked_array(f.data)
    assert whole.mask is numpy.ma.nomask
    (result,) = anygrad.gradient(whole, where=where & ~f.mask)
    assert result.tolist() == [None, 3.0, 4.0, 5.0, 8.0, None, None, None, None]
    with pytest.raises(TypeError, match=r"^`where` must be a boolean array"):
        anygrad.gradient(f, where=[True] * 9)
    with pytest.raises(ValueError, match=r"^`where` must be broadcastable"):
        anygrad.gradient(f, where=where[:8])
    with pytest.raises(TypeError, match=r"^`where` must not be a masked array"):
        anygrad.gradient(f, where=numpy.ma.masked_array(where, mask=~where))


#: Arguments that may be arrays beside samples of shape (3, 4).
BESIDE: dict[str, Callable[[Any], dict[str, Any]]] = {
    "coordinates": lambda a: {"spacing": [2.0, a([0.0, 1, 3, 4])]},
    "a coordinate for each point": lambda a: {"spacing": [1, a([[0.0, 1, 3, 4]] * 3)]},
    "a step": lambda a: {"spacing": a(0.5)},
    "values": lambda a: {"boundary": ["edge", (a([[1.0], [2], [3]]), "reflect")]},
    "valid samples": lambda a: {"where": a([[True, True, True, False]] * 3)},
    "scale factors": lambda a: {"scale_factors": [1.0, a([[1.0], [2], [3]])]},
    "longitudes": lambda a: anygrad.lonlat(a([0.0, 1, 3, 4]), a([10.0, 20, 30])),
    "radii": lambda a: anygrad.cylindrical(a([1.0, 2, 3]), a([0.0, 1, 3, 4])),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize("has_mask", [False, True])
def test_masked_arrays_of_which_nothing_is_masked(
    numpy: Any, name: str, *, has_mask: bool, is_masked: bool
) -> None:
    """As netCDF4 has it of coordinates, and what NumPy's functions make of these."""

    def unmasked(values: Any) -> Any:
        array = numpy.ma.asarray(values)
        array = numpy.positive(array) if has_mask and array.dtype != bool else array
        assert has_mask >= (array.mask is not numpy.ma.nomask)
        return array

    f = numpy.asarray([[0.0, 1, 4, 9], [2, 3, 5, 7], [1, 1, 2, 3]])
    f = numpy.ma.masked_array(f, mask=f == 5) if is_masked else f
    wanted = anygrad.gradient(f, **BESIDE[name](numpy.asarray))
    results = anygrad.gradient(f, **BESIDE[name](unmasked))
    for result, plain in zip(results, wanted, strict=True):
        assert type(result) is type(plain)
        numpy.testing.assert_array_equal(result, plain)


def test_the_halo_of_what_is_not_masked(numpy: Any) -> None:
    x, valid = numpy.ma.asarray([0.0, 1, 3, 4]), numpy.ma.asarray([True, False])
    halo = functools.partial(anygrad.halo_width, anygrad.derivative)
    assert halo(spacing=x, where=valid) == halo(spacing=x.data, where=valid.data)
    with pytest.raises(TypeError, match=r"^`spacing` must not be a masked array"):
        halo(spacing=numpy.ma.masked_greater(x, 3))


@pytest.mark.peers
def test_coordinates_without_a_mask_beside_other_libraries(numpy: Any) -> None:
    import torch

    f, x = torch.tensor([0.0, 1, 4, 9]), numpy.ma.asarray([0.0, 1, 2, 3])
    assert x.mask is numpy.ma.nomask
    assert anygrad.derivative(f, spacing=x).tolist() == [0.0, 2.0, 4.0, 6.0]


EVERY: dict[str, dict[str, Any]] = {
    "gradient": {"dim": 1, "accuracy": 4},
    "derivative": {"dim": 1, "order": 2},
    "laplacian": {"dim": 1},
    "hessian": {"dim": 1},
    "divergence": {"dim": 1},
    "jacobian": {"dim": 1},
}


@pytest.mark.parametrize("name", EVERY)
def test_every_function(numpy: Any, name: str) -> None:
    """What is masked is missing, and where nothing fits, the result is masked."""
    door, keywords = getattr(anygrad, name), EVERY[name]
    values = numpy.arange(12.0)[None] ** 2
    mask = values == 36
    missing = numpy.ma.masked_array(values, mask=mask)
    for f, where in ((numpy.ma.masked_array(values), None), (missing, ~mask)):
        plain, result = door(values, where=where, **keywords), door(f, **keywords)
        if name == "gradient":
            (plain,), (result,) = plain, result
        assert isinstance(result, numpy.ma.MaskedArray)
        holes = numpy.isnan(plain)
        assert numpy.ma.getmaskarray(result).tolist() == holes.tolist()
        assert result.compressed().tolist() == plain[~holes].tolist()
    one = numpy.arange(12) != 3  # of one component, as is the mask of the samples
    both = door(missing, where=one, **keywords)
    wanted = door(values, where=one & ~mask, **keywords)
    if name == "gradient":
        (both,), (wanted,) = both, wanted
    assert both.compressed().tolist() == wanted[~numpy.isnan(wanted)].tolist()


def test_dask_over_masked_arrays(dask: Any) -> None:
    """The chunks decide, and they are known without computing one."""
    import dask.array
    import numpy

    memory = numpy.ma.masked_array(SAMPLES, mask=MASK)
    f = dask.array.from_array(memory, chunks=4)
    (result,) = anygrad.gradient(f)
    assert isinstance(result, dask.array.Array)
    assert result.chunks == f.chunks
    assert result.compute().tolist() == SLOPES
    where = numpy.asarray([False] + [True] * 8)
    got = anygrad.derivative(f, where=where).compute()
    assert got.tolist() == anygrad.derivative(memory, where=where).tolist()
    assert anygrad.laplacian(f).compute().tolist() == anygrad.laplacian(memory).tolist()
    plain = dask.array.from_array(numpy.asarray(SAMPLES), chunks=4)
    with pytest.raises(TypeError, match=r"^`spacing\[0\]` must not be a masked array"):
        anygrad.gradient(plain, spacing=[f])
    rows = dask.array.from_array(numpy.ma.stack([memory] * 3), chunks=(1, 4))
    some = rows[dask.array.from_array([True, False, True], chunks=1)]
    (result,) = anygrad.gradient(some, dim=1)
    assert result.compute().tolist() == [SLOPES] * 2


def test_dask_over_derived_classes(dask: Any) -> None:
    import dask.array
    import numpy

    class Derived(numpy.ma.MaskedArray):
        """Another name, and methods."""

    memory = numpy.ma.masked_array(SAMPLES, mask=MASK).view(Derived)
    f = dask.array.from_array(memory, chunks=4, asarray=False)
    (result,) = anygrad.gradient(f)
    assert type(f.compute()) is type(result.compute()) is Derived
    assert result.compute().tolist() == SLOPES


@pytest.mark.parametrize("of", ["numpy", pytest.param("dask", marks=pytest.mark.peers)])
def test_given_ghosts_are_put_into_masked_samples(
    numpy: Any, of: str, request: pytest.FixtureRequest
) -> None:
    """The message says how, and that works."""
    f = numpy.ma.masked_array(SAMPLES, mask=MASK)
    before, xp = f[:1] - 1.0, numpy.ma
    whole = numpy.ma.concatenate([before, f])
    if of == "dask":
        request.getfixturevalue("dask")
        import dask.array as xp

        f, before = xp.from_array(f, chunks=4), xp.from_array(before)
    given = (("ghosts", before), "one_sided")
    with pytest.raises(ValueError, match=r"Put them into `input`.*write 'ghosts'"):
        anygrad.derivative(f, boundary=given)
    together = xp.concatenate([before, f])
    result = anygrad.derivative(together, boundary=("ghosts", "one_sided"))
    wanted = anygrad.derivative(whole, boundary=("ghosts", "one_sided"))
    result = result.compute() if of == "dask" else result
    assert result.tolist() == wanted.tolist()


def test_a_hard_mask_stays_hard(f: Any, numpy: Any) -> None:
    for is_hard in (False, True):
        samples = numpy.ma.masked_array(f, mask=f == f.max(), hard_mask=is_hard)
        assert anygrad.derivative(samples).hardmask is is_hard


def test_periodic_is_a_word_of_any_class(f: Any, numpy: Any) -> None:
    """Its period was counted among the values, and refused as 0."""
    x = numpy.arange(9.0)
    results = [
        anygrad.derivative(f, spacing=x, boundary=(word, 9.0))
        for word in ("periodic", numpy.str_("periodic"))
    ]
    assert results[0].tolist() == results[1].tolist()
