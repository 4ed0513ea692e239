"""How far sessions are that run beside each other."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from nox_sessions.settings import ROOT

#: Where they say it.
PROGRESS = ROOT / ".nox" / "progress"


def show() -> None:
    """Show it where it would not be seen.

    nox shows what a session of a parallel run prints when it has ended, unless it
    writes to a terminal: then its last line is there all the time.
    """
    if not sys.stdout.isatty():
        PROGRESS.parent.mkdir(exist_ok=True)
        PROGRESS.write_text("", encoding="utf-8")
        threading.Thread(target=read_out, args=[PROGRESS], daemon=True).start()


def read_out(progress: Path) -> None:
    """Print what is written to a file, as long as the process lasts."""
    with progress.open(encoding="utf-8") as file:
        while True:
            # Whole lines past Python's own buffer, so that nothing is held at the end.
            for line in iter(file.readline, ""):
                os.write(1, line.encode())
            time.sleep(1)
