"""Threads of a process that ends, or has a child."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

FIRST = """\
import atexit, os, threading
import numpy
import anygrad

f = numpy.arange(1_100_000.0) ** 2
wanted = anygrad.gradient(f)[0].tobytes()

def check():
    with anygrad.set_workers(3):
        assert anygrad.gradient(f)[0].tobytes() == wanted

"""
PREPARE = f"{FIRST}check()\n"


def output(script: str, *options: str, prepare: str = PREPARE) -> str:
    """Run a script after another, and expect that it ends soon and in silence."""
    command = [sys.executable, *options, "-c", prepare + textwrap.dedent(script)]
    process = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


def test_process_ends(numpy: Any) -> None:
    """Threads that are still there do not hold it up, nor do they complain."""
    assert output("print('end')", "-Werror") == "end\n"


def test_calls_at_exit(numpy: Any) -> None:
    """When Python gives no more threads, the caller works alone."""
    script = """
        def late():
            check()
            print("late")

        atexit.register(late)
    """
    assert output(script, "-Werror") == "late\n"


def test_first_calls_after_the_main_thread(numpy: Any) -> None:
    """Python makes no pools then, of which none has been made before."""
    script = """
        def late():
            threading.main_thread().join()
            check()
            print("late")

        threading.Thread(target=late).start()
    """
    assert output(script, "-Werror", prepare=FIRST) == "late\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_after_fork(numpy: Any) -> None:
    """The child has none of the threads, and starts its own."""
    script = """
        child = os.fork()
        if child == 0:
            check()
            os._exit(7 if threading.active_count() > 1 else 1)
        _, status = os.waitpid(child, 0)
        check()
        print(os.waitstatus_to_exitcode(status))
    """
    # Python 3.12 and later warn of any fork beside threads.
    assert output(script, "-Wignore::DeprecationWarning") == "7\n"


def test_calls_of_a_handler_of_signals(numpy: Any) -> None:
    """It may come while a call hands its work to threads, whose locks it has then."""
    script = """
        import signal

        start = threading.Thread.start

        def start_after_signal(thread):
            signal.raise_signal(signal.SIGINT)
            start(thread)

        def handle(*_):
            check()
            print("handled")

        signal.signal(signal.SIGINT, handle)
        threading.Thread.start = start_after_signal
        with anygrad.set_workers(2):
            assert anygrad.gradient(f)[0].tobytes() == wanted
    """
    assert output(script, "-Werror") == "handled\n"
