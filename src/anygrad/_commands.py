"""How a command of anygrad ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

#: What shells say of a command whose reader has gone.
NOBODY_READS = 141


def leave(main: Callable[[], int]) -> NoReturn:
    """Run a command to its end, or until nobody reads what it prints, as of `head`."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = NOBODY_READS
    sys.exit(status)
