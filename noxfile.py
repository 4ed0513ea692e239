"""Every check, by name: `nox` runs all, `nox -l` lists them, `nox -s lint` runs one.

Arguments after `--` go to pytest: `nox -s "tests(torch)" -- -x -k coordinates`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox adds the folder of its own command
from nox_sessions import gate, machine, on_request

__all__ = ["gate", "on_request"]

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
# One session per core.  `nox -j 1` runs them in turn and shows all output at once.
nox.options.parallel = "auto"
nox.options.allow_parallel = True
# The later Pythons are used where they exist: none is downloaded, none demanded.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

machine.prepare()
