"""DTensors of torch: what goes with them, and what stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import anygrad


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
