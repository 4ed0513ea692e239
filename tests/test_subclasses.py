"""What comes out when more, or something else, than a plain array goes in."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import anygrad

SQUARES = [0.0, 1, 4, 9, 16]
SLOPES = [1.0, 2, 4, 6, 7]


def test_torch_parameters(torch: Any) -> None:
    """A parameter gives a plain tensor with a history, as all of torch does."""
    f = torch.nn.Parameter(torch.tensor(SQUARES))
    (result,) = anygrad.gradient(f)
    assert type(result) is torch.Tensor
    assert result.requires_grad
    assert result.tolist() == SLOPES
    result.sum().backward()
    assert f.grad.tolist() == [-1.5, 0.5, 0, -0.5, 1.5]
    h = torch.nn.Parameter(torch.tensor(2.0))
    (result,) = anygrad.gradient(torch.tensor(SQUARES), spacing=h)
    assert type(result) is torch.Tensor
    assert result.requires_grad


@pytest.mark.parametrize("tracked", [False, True], ids=["constant", "trained"])
@pytest.mark.parametrize("spacing", [0.5, [0.5, "x"]], ids=["step", "coordinates"])
def test_torch_parameters_go_the_way_of_tensors(
    torch: Any, spacing: Any, tracked: bool
) -> None:
    """What a module holds is computed with as any tensor: by the same single step."""
    draw = torch.Generator().manual_seed(0)
    f = torch.rand(50, 40, generator=draw)
    x = torch.rand(40, generator=draw).cumsum(0)
    if spacing != 0.5:
        spacing = [0.5, torch.nn.Parameter(x, requires_grad=False)]
    parameter = torch.nn.Parameter(f.clone(), requires_grad=tracked)
    results = anygrad.gradient(parameter, spacing=spacing)
    wanted = anygrad.gradient(f.requires_grad_(tracked), spacing=spacing)
    for result, target in zip(results, wanted, strict=True):
        assert type(result) is torch.Tensor
        assert type(result.grad_fn) is type(target.grad_fn)
        assert result.equal(target)
    if tracked:
        sum(map(torch.sum, results)).backward()
        sum(map(torch.sum, wanted)).backward()
        assert parameter.grad.equal(f.grad)


def test_torch_subclasses_see_every_operation(torch: Any) -> None:
    """A class with `__torch_function__` comes out again, and misses nothing."""
    seen = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(
            cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            seen.append(function)
            return super().__torch_function__(function, types, args, kwargs or {})

    f = torch.tensor(SQUARES).as_subclass(Logged)
    for spacing in (1, torch.tensor(1.0), [torch.arange(5.0)], [f.detach().sqrt()]):
        seen.clear()
        (result,) = anygrad.gradient(f, spacing=spacing)
        assert type(result) is Logged
        assert seen
        assert result.as_subclass(torch.Tensor).allclose(torch.tensor(SLOPES))


def test_torch_coordinates_of_a_subclass(torch: Any) -> None:
    class Marked(torch.Tensor):
        pass

    x = torch.arange(5.0).as_subclass(Marked)
    (result,) = anygrad.gradient(torch.tensor(SQUARES), spacing=[x])
    assert type(result) is Marked
    assert result.as_subclass(torch.Tensor).tolist() == SLOPES


def test_torch_modes_see_every_operation(torch: Any) -> None:
    """A mode that records what is computed gets all of it, and nothing in place."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Recorder(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.names: list[str] = []

        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            self.names.append(str(function))
            return function(*args, **(kwargs or {}))

    with Recorder() as recorder:
        (result,) = anygrad.gradient(torch.tensor(SQUARES))
    assert result.tolist() == SLOPES
    assert any("sub" in name for name in recorder.names)
    assert not any(name.endswith(".out") for name in recorder.names)


def test_torch_trees_of_tensors(torch: Any) -> None:
    """A wrapper subclass, whose values are elsewhere, is left to do its own work."""
    from torch.utils._pytree import tree_map

    class Wrapped(torch.Tensor):
        @staticmethod
        def __new__(cls, inner: Any) -> Any:
            return torch.Tensor._make_wrapper_subclass(
                cls, inner.shape, dtype=inner.dtype
            )

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        @classmethod
        def __torch_dispatch__(
            cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            def bare(value: Any) -> Any:
                return value.inner if isinstance(value, Wrapped) else value

            def wrapped(value: Any) -> Any:
                return Wrapped(value) if isinstance(value, torch.Tensor) else value

            out = function(*tree_map(bare, args), **tree_map(bare, kwargs or {}))
            return tree_map(wrapped, out)

    (result,) = anygrad.gradient(Wrapped(torch.tensor(SQUARES)), edge_order=2)
    assert type(result) is Wrapped
    assert result.inner.tolist() == [0.0, 2, 4, 6, 8]


def named(numpy: Any) -> type:
    """Return a class whose arrays carry a name along."""

    class Named(numpy.ndarray):
        name = None

        def __array_finalize__(self, source: Any) -> None:
            self.name = getattr(source, "name", None)

    return Named


def test_numpy_subclasses_with_a_state(numpy: Any) -> None:
    """What each array carries would be lost where results are put together."""
    own = named(numpy)
    for cls in (own, type("Derived", (own,), {})):
        f = numpy.asarray(SQUARES).view(cls)
        for call in (anygrad.gradient, anygrad.laplacian):
            with pytest.raises(TypeError, match=r"^`input` must be a plain.*asarray`"):
                call(f)
        assert anygrad.gradient(numpy.asarray(f))[0].tolist() == SLOPES


def test_numpy_subclasses_that_keep_their_state(numpy: Any) -> None:
    """A class that has its say in all functions decides by itself."""

    own: Any = named(numpy)

    class Named(own):
        def __array_function__(
            self, function: Any, types: Any, args: Any, kwargs: Any
        ) -> Any:
            result = super().__array_function__(function, types, args, kwargs)
            if isinstance(result, numpy.ndarray):
                result = result.view(Named)
                result.name = self.name
            return result

    f = numpy.asarray(SQUARES).view(Named)
    f.name = "depth"
    for spacing in (1, [numpy.arange(5.0)]):
        (result,) = anygrad.gradient(f, spacing=spacing)
        assert result.tolist() == pytest.approx(SLOPES)
        assert result.name == "depth"


def test_numpy_subclasses_that_keep_their_state_in_part(numpy: Any) -> None:
    """NumPy's `where`, which chooses between formulas, makes plain arrays of them."""

    own: Any = named(numpy)

    class Joined(own):
        def __array_function__(
            self, function: Any, types: Any, args: Any, kwargs: Any
        ) -> Any:
            result = super().__array_function__(function, types, args, kwargs)
            if function is numpy.concatenate:
                result = result.view(Joined)
                result.name = self.name
            return result

    f = numpy.asarray(SQUARES).view(Joined)
    f.name = "depth"
    assert anygrad.derivative(f).name == "depth"
    valid = numpy.asarray([True, True, True, True, False])
    with pytest.raises(TypeError, match=r"^`input` must be a plain.*numpy.asarray`"):
        anygrad.derivative(f, where=valid)
    result = anygrad.derivative(numpy.asarray(f), where=valid, edge_order=1)
    assert result[:4].tolist() == [1, 2, 4, 5]
    assert anygrad.gradient(f[:1].reshape(()), where=valid[0]) == ()


def test_numpy_subclasses_that_lose_their_state_where_pieces_are_joined(
    numpy: Any,
) -> None:
    """Units of pynbody's, say, which has a rule for NumPy's gradient, and none here."""

    own: Any = named(numpy)

    class Ruled(own):
        def __array_function__(
            self, function: Any, types: Any, args: Any, kwargs: Any
        ) -> Any:
            plain = [[numpy.asarray(a) for a in args[0]], *args[1:]]
            return function(*plain, **kwargs)

    f = numpy.asarray(SQUARES).view(Ruled)
    for call in (anygrad.gradient, anygrad.derivative, anygrad.hessian):
        with pytest.raises(TypeError, match=r"^`input` must be a plain.*asarray`"):
            call(f)
    assert anygrad.gradient(numpy.asarray(f))[0].tolist() == SLOPES
    assert anygrad.gradient(f[:1].reshape(())) == ()


def test_numpy_subclasses_that_watch(numpy: Any) -> None:
    """Every operation on a subclass passes by its `__array_ufunc__`."""
    seen = []

    class Watched(numpy.ndarray):
        def __array_ufunc__(
            self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
        ) -> Any:
            seen.append(ufunc.__name__)
            plain = [
                a.view(numpy.ndarray) if isinstance(a, Watched) else a for a in inputs
            ]
            return getattr(ufunc, method)(*plain, **kwargs).view(Watched)

    f = numpy.asarray(SQUARES).view(Watched)
    (result,) = anygrad.gradient(f)
    assert result.tolist() == SLOPES
    assert "subtract" in seen


def test_numpy_subclasses_warn_of_nothing(numpy: Any) -> None:
    """A class that adds nothing is a plain array, of whose infinities nobody warns."""

    class Plain(numpy.ndarray):
        pass

    f = numpy.asarray([0.0, 1e308, -1e308, numpy.inf, 1.0])
    x = numpy.arange(5.0).view(Plain)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in (
            anygrad.derivative(f.view(Plain)),
            anygrad.derivative(f, spacing=x),
            anygrad.laplacian(f.view(Plain), scale_factors=[x]),
        ):
            assert not numpy.isfinite(result).all()


def test_numpy_memory_maps(numpy: Any, tmp_path: Path) -> None:
    """A file is read and not written, also one that is open for reading only."""
    path = tmp_path / "samples.npy"
    numpy.save(path, numpy.asarray([SQUARES, SQUARES]))
    before = path.read_bytes()
    for mode in ("r", "r+", "c"):
        f = numpy.load(path, mmap_mode=mode)
        (result,) = anygrad.gradient(f, dim=1)
        assert isinstance(result, numpy.ndarray)
        assert result.tolist() == [SLOPES] * 2
        assert result.flags.writeable
        assert not numpy.shares_memory(result, f)
    del f
    assert path.read_bytes() == before


def test_numpy_records_of_one_field(numpy: Any) -> None:
    """A field of a structured array is an array with gaps."""
    table = numpy.zeros(5, dtype=[("name", "S3"), ("depth", "f8")])
    table["depth"] = SQUARES
    (result,) = anygrad.gradient(table["depth"])
    assert result.tolist() == SLOPES


def test_dask_over_other_classes(dask: Any) -> None:
    """The chunks stay what they are."""
    import dask.array
    import numpy

    class Marked(numpy.ndarray):
        pass

    f = dask.array.from_array(
        numpy.asarray(SQUARES).view(Marked), chunks=2, asarray=False
    )
    (result,) = anygrad.gradient(f)
    assert isinstance(result, dask.array.Array)
    assert result.compute().tolist() == SLOPES

    class Named(Marked):
        def __array_finalize__(self, source: Any) -> None:
            self.name = getattr(source, "name", None)

    named = numpy.asarray(SQUARES).view(Named)
    f = dask.array.from_array(named, chunks=2, asarray=False)
    with pytest.raises(TypeError, match=r"^`input` must be a plain array"):
        anygrad.gradient(f)

    class Ruled(Named):
        def __array_function__(
            self, function: Any, types: Any, args: Any, kwargs: Any
        ) -> Any:
            result = super().__array_function__(function, types, args, kwargs)
            is_join = function is numpy.concatenate
            return numpy.asarray(result) if is_join else result

    f = dask.array.from_array(named.view(Ruled), chunks=2, asarray=False)
    with pytest.raises(TypeError, match=r"^`input` must be a plain array"):
        anygrad.gradient(f)
