"""Scripts in a process of their own, on the package that is under test."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anygrad

#: Where the package is imported from: a checkout, or what is installed.
HERE = str(Path(anygrad.__file__).parent.parent)


def run(*arguments: str, **settings: str) -> str:
    """Run Python with these arguments, and return what it prints.

    The settings are further variables of the environment.
    """
    paths = filter(None, (HERE, os.environ.get("PYTHONPATH")))
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | settings,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@functools.cache
def answer(*arguments: str, **settings: str) -> Any:
    """Return the JSON in the last line that a script prints; each runs once."""
    return json.loads(run(*arguments, **settings).splitlines()[-1])
