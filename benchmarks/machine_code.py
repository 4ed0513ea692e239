"""Show what NVIDIA's compiler makes of the kernels of the rows for a GPU, without one.

    python benchmarks/machine_code.py [word ...]     # rows that hold all these words

Needs NumPy, `cuda-core`, `nvidia-cuda-nvrtc`, `nvidia-cuda-cuobjdump` and
`nvidia-cuda-nvdisasm`.  Prints, for each kernel of a row, its registers and its
stack, how often it loads and stores 16 bytes and fewer, and its length.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from on_gpu.rows import ROWS, Row

import anygrad
from anygrad import _plans
from anygrad._executors.memory import OF_NUMPY
from anygrad._executors.printed import on_cuda, torch_on_cuda, variants

ARCHITECTURE = "sm_90"


class Planned(Exception):  # noqa: N818 - it says what is there, not what is wrong
    """Carries a plan out of a call, before anything is computed."""


def plan_of(row: Row, f: Any) -> Any:
    """Return the plan of a row's call."""
    import numpy

    make = _plans.plan

    def stop(*arguments: Any, **keywords: Any) -> Any:
        raise Planned(make(*arguments, **keywords))

    keywords: dict[str, Any] = {"spacing": 0.3, **row.keywords}
    if row.grid != "step":
        length = row.shape[row.dim or 0]
        shape = row.shape if row.grid == "per point" else (length,)
        keywords["spacing"] = [numpy.empty(shape, row.dtype)]
    if row.masked:
        keywords["where"] = numpy.empty(row.shape, "bool")
    which = {"vector_dim": 0} if row.door == "divergence" else {"dim": row.dim}
    _plans.plan = stop
    try:
        getattr(anygrad, row.door)(f, **keywords, **which)
    except Planned as planned:
        return planned.args[0]
    finally:
        _plans.plan = make
    raise AssertionError


def texts(row: Row) -> list[str]:
    """Return the texts of the kernels that a row's call launches."""
    import array_api_compat.numpy as xp
    import numpy

    found: list[str] = []
    launcher = on_cuda.Launcher(
        place=lambda a: variants.Array(0, a.shape, a.strides, a.itemsize),
        device=lambda _: None,
        compiled=lambda text, _: text,
        call=lambda text, *_: found.append(text),
        empty_like=xp.empty_like,
        memory=OF_NUMPY,
    )
    f = numpy.empty(row.shape, row.dtype)  # no memory is touched
    on_cuda.run(launcher, f, plan_of(row, f), xp)
    return found


def said_of(text: str) -> str:
    """Return the counts of a kernel."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(torch_on_cuda.compiled_for(ARCHITECTURE, text).code)
        usage = _tool("cuobjdump", "-res-usage", str(path))
        code = _tool("nvdisasm", "-c", str(path))
    words = re.findall(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+ )?([A-Z][\w.]+)", code)
    counts = Counter(
        word[:3] + (" 16 bytes" if ".128" in word else " fewer")
        for word in words
        if word.startswith(("LDG", "STG"))
    )
    registers, stack = (re.findall(rf"{w}:(\d+)", usage)[0] for w in ("REG", "STACK"))
    shown = ", ".join(f"{word}: {counts[word]}" for word in sorted(counts))
    return f"{registers} registers, {stack} bytes of stack; {shown}; {len(words)} long"


def _tool(name: str, *arguments: str) -> str:
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations or []) if spec else []
    (path, *_) = [path for root in roots for path in Path(root).glob(f"*/bin/{name}")]
    command = [str(path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def main(words: Sequence[str]) -> None:
    """Print the rows."""
    for row in ROWS:
        if row.backward or not all(word in str(row) for word in words):
            continue
        for text in texts(row):
            sys.stdout.write(f"{row}: {said_of(text)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
