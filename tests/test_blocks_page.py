"""The recipes of the page on blocks, on several processes and devices."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "blocks.md"

#: What those of several processes are tried on.
BEGIN = """
import numpy as np
import anygrad

f = np.sin(np.linspace(0.0, 3.0, 40))
whole = anygrad.derivative(f, accuracy=4)
"""

#: One more line of a part for the neighbour at either side, and an odd cut.
ON_RANKS = """
import sys
from mpi4py import MPI

comm = MPI.COMM_WORLD
cuts = [40 * k // comm.size for k in range(comm.size + 1)]
first, last = cuts[comm.rank], cuts[comm.rank + 1]
left, right = halo.left * (first > 0), halo.right * (last < 40)
samples = np.full(left + last - first + right, np.nan)
samples[left : len(samples) - right] = f[first:last]
assert (slope_of_rank(samples, comm) == whole[first:last]).all()
"""

IN_PROCESSES = """
import sys

rank, count = int(sys.argv[1]), 3
distributed.init_process_group(
    "gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=count
)
cuts = [40 * k // count for k in range(count + 1)]
part = torch.asarray(f[cuts[rank] : cuts[rank + 1]])
assert (slope_of_local(part).numpy() == whole[cuts[rank] : cuts[rank + 1]]).all()

from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
from torch.distributed.tensor.experimental import local_map

mesh, rows = init_device_mesh("cpu", (count,)), [Shard(0)]
even = torch.asarray(f[:39])
slope = local_map(slope_of_local, out_placements=rows, device_mesh=mesh)
found = slope(distribute_tensor(even, mesh, rows))
assert tuple(found.placements) == tuple(rows)
assert torch.equal(found.full_tensor(), anygrad.derivative(even, accuracy=4))
distributed.destroy_process_group()
"""


def recipe(heading: str) -> str:
    """Return the code below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    found = re.search(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def run(path: Path, text: str, *before: str, **settings: str) -> None:
    """Run a program in a process of its own; a launcher may stand before it."""
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*before, sys.executable, str(path)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_jax_on_several_devices(jax: object, tmp_path: Path) -> None:
    """On 4 of them; on the page, it may be a single one."""
    flag = "--xla_force_host_platform_device_count=4"
    text = f"{recipe('jax.shard_map')}\nassert jax.device_count() == 4"
    run(tmp_path / "on_jax.py", text, XLA_FLAGS=flag, JAX_PLATFORMS="cpu")


@pytest.mark.full
def test_torch_in_processes(torch: object, tmp_path: Path) -> None:
    """In 3 of them, with parts of two lengths, and with the shards of a DTensor."""
    path, meeting = tmp_path / "on_torch.py", tmp_path / "meeting"
    path.write_text(
        BEGIN + recipe("torch.distributed") + IN_PROCESSES, encoding="utf-8"
    )
    command = [sys.executable, str(path)]
    processes = [
        subprocess.Popen([*command, str(rank), str(meeting)], stderr=subprocess.PIPE)
        for rank in range(3)
    ]
    for process in processes:
        _, said = process.communicate(timeout=200)
        assert process.returncode == 0, said.decode()


@pytest.mark.full
@pytest.mark.parametrize("count", [3, 8])
def test_mpi(tmp_path: Path, count: int) -> None:
    pytest.importorskip("mpi4py")
    mpirun = shutil.which("mpirun", path=Path(sys.executable).parent) or "mpirun"
    launch = (mpirun, "--oversubscribe", "--allow-run-as-root", "-n", str(count))
    run(tmp_path / "on_mpi.py", BEGIN + recipe("MPI") + ON_RANKS, *launch)
