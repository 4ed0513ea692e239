"""DTensors of torch: what goes with them, what stays where it is, and what moves.

What moves does so between processes, three by default, which run `in_process`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import anygrad
from calls_on_dtensors import CALLS


@pytest.fixture
def mesh(torch: Any) -> Iterator[Any]:
    """Return a mesh of this process alone."""
    from torch.distributed.device_mesh import init_device_mesh

    distributed = torch.distributed
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


@pytest.fixture
def field(torch: Any) -> Any:
    return torch.linspace(0.0, 1.0, 30, dtype=torch.float64).reshape(5, 6) ** 2


def spread(tensor: Any, mesh: Any, dim: int | None = None) -> Any:
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    place = Replicate() if dim is None else Shard(dim)
    return distribute_tensor(tensor, mesh, [place])


def test_dtensors_beside_them(torch: Any, mesh: Any, field: Any) -> None:
    f, x = spread(field, mesh, 0), torch.tensor([0.0, 1, 3, 4, 6], dtype=torch.float64)
    found = anygrad.derivative(f, spacing=spread(x, mesh), dim=0)
    assert type(found) is type(f)
    assert torch.equal(found.full_tensor(), anygrad.derivative(field, spacing=x, dim=0))
    valid = field > 0.1
    wanted = anygrad.derivative(field, where=valid, dim=0, boundary=2.0)
    value = spread(torch.full((1, 6), 2.0, dtype=torch.float64), mesh)
    for end in (2.0, value):
        found = anygrad.derivative(f, where=spread(valid, mesh), dim=0, boundary=end)
        same = torch.isclose(found.full_tensor(), wanted, equal_nan=True)
        assert same.all()


@pytest.mark.peers
def test_numpy_beside_them(torch: Any, numpy: Any, mesh: Any, field: Any) -> None:
    """Its arrays are on each device."""
    f, x = spread(field, mesh, 0), torch.tensor([0.0, 1, 3, 4, 6], dtype=torch.float64)
    given = {"spacing": x.numpy(), "where": (field > 0.1).numpy()}
    for ends in (2.0, numpy.full((1, 6), 2.0)):
        found = anygrad.derivative(f, dim=0, boundary=ends, **given)
        assert type(found) is type(f)
        wanted = anygrad.derivative(field, dim=0, boundary=ends, **given)
        same = torch.isclose(found.full_tensor(), wanted, equal_nan=True)
        assert same.all()


@pytest.mark.parametrize("name", ["spacing[0]", "where", "boundary"])
def test_plain_tensors_are_refused(
    torch: Any, mesh: Any, field: Any, name: str
) -> None:
    """And DTensors beside plain ones: before any computation, and with the remedy."""
    given = {
        "spacing[0]": torch.arange(5.0, dtype=torch.float64),
        "where": field > 0.1,
        "boundary": field[:1],
    }[name]
    f, keyword = spread(field, mesh, 0), name.partition("[")[0]

    def call(f: Any, given: Any) -> Any:
        entry = [given] if keyword == "spacing" else given
        return anygrad.gradient(f, dim=0, **{keyword: entry})

    with pytest.raises(TypeError) as caught:
        call(f, given)
    assert str(caught.value) == (
        f"`{name}` must be spread over several devices, as `input` is. Got "
        "torch.Tensor for an `input` of type torch.DTensor. Convert it first, e.g. "
        "with `distribute_tensor(x, input.device_mesh)`."
    )
    from torch.distributed.tensor import distribute_tensor

    call(f, distribute_tensor(given, f.device_mesh))
    with pytest.raises(TypeError) as caught:
        call(field, distribute_tensor(given, f.device_mesh))
    assert str(caught.value) == (
        f"`{name}` must be on one device, as `input` is. Got torch.DTensor for an "
        "`input` of type torch.Tensor. Convert it first, e.g. with `full_tensor()`."
    )


@pytest.mark.peers  # torch counts what is moved with NumPy
def test_along_a_dim_that_is_whole(
    torch: Any, numpy: Any, mesh: Any, field: Any
) -> None:
    """Nothing is moved, and the result is sharded as the samples are."""
    from torch.distributed.tensor.debug import CommDebugMode

    f = spread(field, mesh, 0)
    with CommDebugMode() as moved:
        found = anygrad.derivative(f, dim=1, accuracy=4)
    assert moved.get_total_counts() == 0
    assert found.placements == f.placements
    assert torch.equal(
        found.full_tensor(), anygrad.derivative(field, dim=1, accuracy=4)
    )


@pytest.mark.filterwarnings("ignore:.*lru_cache.*:UserWarning")
def test_integers_that_torch_moves(torch: Any, mesh: Any) -> None:
    """Those of 64 bits are halved, which `>>` does not do to a DTensor."""
    field = torch.tensor([-7, -3, 5, 9, 2**60 + 1, 40])
    f, wanted = spread(field, mesh, 0), anygrad.derivative(field)
    torch._dynamo.reset()
    compiled = torch.compile(anygrad.derivative, backend="eager")
    assert torch.equal(compiled(f).full_tensor(), wanted)


# Between processes.


def in_process(rank: int, count: int, meeting: str, checks: list[str]) -> None:
    """Do some checks in one of several processes, which meet in a file."""
    import torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=100),
    )
    for check in checks:
        globals()[check](count)
    torch.distributed.destroy_process_group()


def check_that_bits_are_those_of_the_whole(count: int) -> None:
    """With parts of two lengths, narrow ones, and empty ones."""
    import torch

    for length in (13, 4):
        f = samples(length)
        for name in CALLS:
            compare(name, f, mesh_of(count), [0])
    compare("hessian", samples(13).mT, mesh_of(count), [1])
    compare("gradient", (samples(13) * 100).long(), mesh_of(count), [0])
    compare("laplacian", samples(13) * (1 + 2j), mesh_of(count), [0])
    pictures = samples(52).reshape(13, 2, 5, 2)
    (wanted,) = anygrad.gradient(pictures, dim=0)
    parts = spread(pictures, mesh_of(count), 0)
    parts = parts.contiguous(memory_format=torch.channels_last)
    assert torch.equal(anygrad.gradient(parts, dim=0)[0].full_tensor(), wanted)


def check_several_dims_of_a_mesh(count: int) -> None:
    mesh = mesh_of(2, count // 2)
    for places in ([0, 1], [1, 0], [0, 0], [None, 0]):
        for name in CALLS:
            compare(name, samples(13), mesh, places)
        compare("hessian", samples(4), mesh, places)
    check_what_is_cut_in_another_order(mesh)


def check_what_is_cut_in_another_order(mesh: Any) -> None:
    """As parameters that are cut for two reasons: over the last dim of a mesh first."""
    import torch
    from torch.distributed.tensor import DTensor, Shard, distribute_tensor
    from torch.distributed.tensor import _dtensor_spec as private
    from torch.distributed.tensor.placement_types import _StridedShard

    twice = [_StridedShard(0, split_factor=mesh.size(1)), Shard(0)]
    for field in (samples(12), (samples(12) * 100).long()):
        f = distribute_tensor(field, mesh, twice)
        order = private.ShardOrderEntry(tensor_dim=0, mesh_dims=(1, 0))
        spec = private.DTensorSpec(
            mesh,
            (Shard(0), Shard(0)),
            tensor_meta=f._spec.tensor_meta,
            shard_order=(order,),
            use_strided_shard_as_shard_order=False,
        )
        ordered = DTensor(f.to_local(), spec, requires_grad=False)
        for one in (f, ordered):
            found = anygrad.derivative(one, dim=0)
            wanted = anygrad.derivative(field, dim=0)
            assert torch.equal(found.full_tensor(), wanted)


def check_that_halos_alone_move(count: int) -> None:
    import torch

    f, rank = spread(samples(13), mesh_of(count), 0), torch.distributed.get_rank()
    row = 8 * f.shape[1]
    sides = (rank > 0) + (rank < count - 1)
    for call, wanted in (
        (lambda: anygrad.gradient(f, dim=1, accuracy=4), 0),
        (lambda: anygrad.gradient(f), row * sides),
        (lambda: anygrad.gradient(f, dim=0, accuracy=4, edge_order=1), 2 * row * sides),
        (lambda: anygrad.gradient(f, boundary="periodic"), 2 * row),
        (lambda: anygrad.laplacian(f, edge_order=1), row * sides),
        (lambda: anygrad.hessian(f, edge_order=1), row * sides),
    ):
        assert received(call) == wanted


def check_the_way_back(count: int) -> None:
    """What flows back is what flows back on the whole array; twice, too."""
    import torch

    mesh = mesh_of(count)
    names = ("gradient", "ring", "coordinates", "whole coordinates", "mask")
    # Along a dim with fewer points than parts, torch gathers what flows back.
    for name, length in (*((name, 13) for name in names), ("gradient", count - 1)):
        field, found = samples(length), []
        for is_cut in (False, True):
            leaves: list[Any] = []

            def own(
                tensor: Any,
                dim: int | None = None,
                is_cut: bool = is_cut,
                leaves: list[Any] = leaves,
            ) -> Any:
                made = spread(tensor, mesh, dim) if is_cut else tensor.clone()
                if made.is_floating_point():
                    leaves.append(made.requires_grad_())
                return made

            f = own(field, 0)
            result = CALLS[name](f, own)[0]
            weighted = result.nan_to_num() ** 3 * (
                spread(field.cos(), mesh, 0) if is_cut else field.cos()
            )
            first = torch.autograd.grad(weighted.sum(), leaves, create_graph=True)
            total = (first[0] ** 2).sum()
            second = torch.autograd.grad(total, leaves, create_graph=True)
            (third,) = torch.autograd.grad((second[0] ** 2).sum(), [f])
            slopes = (*first, *second, third)
            found.append([gathered(slope.detach()) for slope in slopes])
        for whole, parts in zip(*found, strict=True):
            assert torch.allclose(whole, parts, rtol=1e-9), name


def samples(length: int) -> Any:
    import torch

    return torch.linspace(0.0, 3.0, 5 * length, dtype=torch.float64).reshape(-1, 5) ** 3


def mesh_of(*shape: int) -> Any:
    from torch.distributed.device_mesh import init_device_mesh

    return init_device_mesh("cpu", shape)


def compare(name: str, f: Any, mesh: Any, places: list[int | None]) -> None:
    """Compare a call on parts with that on the whole array, or what they raise."""
    import torch
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    put = [Replicate() if place is None else Shard(place) for place in places]

    def own(tensor: Any, dim: int | None = None) -> Any:
        is_alike = dim is not None and tensor.shape == f.shape
        alone = [p if p == Shard(0) else Replicate() for p in put]
        whole = [Replicate()] * len(put)
        chosen = put if is_alike else alone if dim is not None else whole
        return distribute_tensor(tensor, mesh, chosen)

    call, part = CALLS[name], distribute_tensor(f, mesh, put)
    try:
        wanted = call(f, lambda tensor, dim=None: tensor)
    except ValueError:
        with pytest.raises(ValueError, match="points"):
            call(part, own)
        return
    found = call(part, own)
    if torch.is_tensor(wanted):
        wanted, found = [wanted], [found]
    for one, other in zip(wanted, found, strict=True):
        same = torch.equal(
            one.nan_to_num(math.pi), other.full_tensor().nan_to_num(math.pi)
        )
        assert same, (name, f.shape, places)
        is_cut = [place.is_shard() for place in other.placements]
        assert is_cut == [place is not None for place in places], (name, places)


def gathered(tensor: Any) -> Any:
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def received(call: Callable[[], Any]) -> int:
    """Return how many bytes come from single processes; no others must."""
    from torch.distributed.tensor import DTensor
    from torch.utils._python_dispatch import TorchDispatchMode

    found = []

    class Moved(TorchDispatchMode):
        def __torch_dispatch__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if DTensor in types:  # its operations on its parts are what counts
                return NotImplemented
            if "c10d" in function.namespace:
                found.append((str(function), args))
            return function(*args, **(kwargs or {}))

    with Moved():
        call()
    assert {name for name, _ in found} <= {"c10d.send.default", "c10d.recv_.default"}
    return sum([args[0][0].nbytes for name, args in found if "recv" in name])


@pytest.mark.parametrize(
    ("count", "checks"),
    [
        (
            3,
            [
                "check_that_halos_alone_move",
                "check_the_way_back",
                "check_that_bits_are_those_of_the_whole",
            ],
        ),
        pytest.param(
            2, ["check_that_bits_are_those_of_the_whole"], marks=pytest.mark.full
        ),
        pytest.param(4, ["check_several_dims_of_a_mesh"], marks=pytest.mark.full),
    ],
)
def test_between_processes(
    torch: Any, tmp_path: Path, count: int, checks: list[str]
) -> None:
    meeting = str(tmp_path / "meeting")
    torch.multiprocessing.spawn(in_process, (count, meeting, checks), count)
