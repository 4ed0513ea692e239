"""The calls that tests transform: their samples, and what is given along the rows."""

from __future__ import annotations

from typing import Any

import pytest

import anygrad

SAMPLES = [[3.0, 1, 4, 1, 5], [2, 6, 5, 3, 5]]
COORDINATES = [0.0, 1, 3, 4, 8]
CURVED = [[0.0, 1, 3, 4, 8], [0, 2, 3, 7, 8]]
ENTRIES = [
    pytest.param(2.0, id="0-d"),
    pytest.param(COORDINATES, id="coordinates"),
    pytest.param(CURVED, id="per point"),
]


def along_the_rows(f: Any, entry: Any, edge_order: int = 2) -> Any:
    (result,) = anygrad.gradient(f, spacing=[entry], dim=1, edge_order=edge_order)
    return result
