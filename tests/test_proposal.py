"""The proposal for the standard's world, held to the public suite by its own page."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from anygrad.testing import _running
from anygrad.testing._arrays import NotApplicable
from gradient import gradient
from suite import BY_NAME

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "proposal.md").read_text(encoding="utf-8")
NAMES = {check.__doc__: name for name, check in BY_NAME.items()}
LEFT_OUT = PAGE[PAGE.index("### What it leaves out on purpose") :]
PROMISES = re.findall(r"^\| (.+?\.) \| .+ \|$", LEFT_OUT, re.MULTILINE)

#: Where a run of all checks takes seconds, and where it takes a quarter of a minute.
QUICK = ("numpy", "array_api_strict", "dask.array")
SLOW = ("torch", "jax.numpy")


def adapted(
    input: Any,
    *,
    spacing: Any = 1,
    dim: Any = None,
    edge_order: Any = 1,
    axis: Any = None,
) -> Any:
    """Call the proposal for each axis, with the words of `anygrad.gradient`."""
    if dim is not None and axis is not None:
        msg = "there is one word for dims"
        raise NotApplicable(msg)
    dims = axis if dim is None else dim
    dims = range(input.ndim) if dims is None else dims
    dims = [dims] if isinstance(dims, int) else list(dims)
    listed = isinstance(spacing, (list, tuple))
    entries = spacing if listed else [1 if spacing is None else spacing] * len(dims)
    if len(entries) != len(dims):
        msg = "`spacing` must have one entry per axis."
        raise ValueError(msg)
    return tuple(
        gradient(input, axis=axis, spacing=entry, edge_order=edge_order)
        for axis, entry in zip(dims, entries, strict=True)
    )


def broken(namespace: str, *checks: str) -> dict[str, str]:
    """Return which promises are broken on arrays of a library, and how."""
    xp = _running.standard_namespace(importlib.import_module(namespace))
    found = [_running._verdict(BY_NAME[name], adapted, xp, {}) for name in checks]
    return {one.name: one.reason for one in found if one.outcome == "broken"}


def test_the_page_names_promises() -> None:
    assert len(PROMISES) == len(set(PROMISES)) > 15
    assert set(PROMISES) <= set(NAMES)


@pytest.mark.parametrize(
    "namespace", [*QUICK, *(pytest.param(n, marks=pytest.mark.full) for n in SLOW)]
)
def test_all_other_promises_are_kept(namespace: str) -> None:
    others = set(BY_NAME) - {NAMES[promise] for promise in PROMISES}
    assert broken(namespace, *sorted(others)) == {}


def test_what_is_left_out_is_broken_somewhere() -> None:
    """Else the page says of something that it is not kept, and it is."""
    names = {NAMES[promise] for promise in PROMISES}
    found = {name for library in (*QUICK, *SLOW) for name in broken(library, *names)}
    assert found == names


def test_it_is_one_file_of_the_standard() -> None:
    text = (ROOT / "proposal" / "gradient.py").read_text(encoding="utf-8")
    imports = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    assert set(imports) == {"__future__", "typing", "array_api_compat"}
    assert "anygrad" not in text
