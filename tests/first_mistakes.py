"""What first mistakes are made with, and the message that they get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ROWS = [[0.0, 1, 4, 9], [1.0, 3, 7, 5], [2.0, 2, 8, 6], [5.0, 1, 3, 2]]


def refusal(call: Callable[[], Any]) -> str:
    """Return the message of a call that is refused."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return str(caught.value)
