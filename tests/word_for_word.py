"""How a test holds a call of any function to its refusal, word for word."""

from __future__ import annotations

from typing import Any

import pytest

MODES = "'one_sided', 'periodic', 'reflect', 'symmetric', 'edge', 'ghosts'"


def refused(error: type[Exception], message: str, function: Any, *args: Any) -> None:
    """Hold a call to its error; the last argument is its keywords."""
    *positional, keywords = args
    with pytest.raises(error) as caught:
        function(*positional, **keywords)
    assert caught.type is error
    assert str(caught.value) == message
