"""The rows as asv knows benchmarks: time and peak memory, each function by itself.

For ratios take `ratios.py`: it measures the functions of a row in turn.
"""

from __future__ import annotations

from typing import ClassVar

from benchmarks.contenders import contenders
from benchmarks.rows import MEMORY, ROWS


class Rows:
    """Every row, for anygrad, its peer and the floor."""

    params: ClassVar = ([str(row) for row in ROWS], ["anygrad", "peer", "floor"])
    param_names: ClassVar = ["row", "function"]

    def setup(self, row: str, function: str) -> None:
        """Make the arrays; a first call imports, plans and compiles."""
        calls = contenders(next(r for r in ROWS if str(r) == row))
        if function not in calls:
            raise NotImplementedError  # asv's word for leaving one out
        self.call = calls[function]
        self.call()

    def time_call(self, *_: str) -> None:
        """Measure the time of a call."""
        self.call()


class Memory:
    """The largest size of a process, for what the dtype could double."""

    params: ClassVar = [str(row) for row in MEMORY]
    param_names: ClassVar = ["row"]

    def setup(self, row: str) -> None:
        """Make the arrays."""
        self.call = contenders(next(r for r in MEMORY if str(r) == row))["anygrad"]

    def peakmem_call(self, _: str) -> None:
        """Measure the whole process, samples and library included."""
        self.call()


def timeraw_import() -> tuple[str, str]:
    """Import anygrad, array-api-compat being there already."""
    return "import anygrad", "import array_api_compat"
