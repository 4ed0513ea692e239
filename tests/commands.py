"""How a test gives a command: in a process of its own, or for its status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = str(Path(__file__).parent)


def python(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, without a word of traceback."""
    paths = [path, TESTS, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def status_of(main: Any, *arguments: str) -> int:
    """Return the status of a command, also where it stops at its arguments."""
    try:
        return int(main(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
