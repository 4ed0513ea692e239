"""CuPy with the emulation under it, for the fixtures of tests, and NumPy beside it."""

from __future__ import annotations

from typing import Any

import pytest

from . import install, installed, unavailable_reason

# Any: CuPy and NumPy are not there when the types are checked.
Module = Any


@pytest.fixture
def cupy() -> Module:
    if not installed() and (reason := unavailable_reason()) is not None:
        pytest.skip(reason)
    return install()


@pytest.fixture
def np(cupy: Module) -> Module:
    import numpy

    return numpy
