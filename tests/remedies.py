"""How a test follows a remedy: the message of a refused call, and what is to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LINE = [0.0, 1, 4, 9, 16, 25]
SLOPES = [1.0, 2, 4, 6, 8, 9]
NODES = [0.0, 1, 2, 3, 4, 5]


def refusal(call: Callable[[], Any], parameter: str) -> str:
    """Return the message of a call, which begins with the name of a parameter."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"`{parameter}` "), message
    return message
