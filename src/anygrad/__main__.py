"""`python -m anygrad`: which array libraries are installed, and whether they work."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from . import _commands, _libraries, _reports
from ._library import Library
from ._reports import Report
from ._version import __version__

#: The libraries by the words that a user has for them.
BY_NAME: dict[str, Library] = {
    word: library
    for library in _libraries.TABLE
    for word in (library.package, library.namespace, library.name)
}

#: What the words in the table mean.
LEGEND = """
works: it was imported, and five examples gave the printed results.
not tried: it was found and not imported.  Try one by its name, or --all.
"""

STATUS = """
exit status:
  0  all that were tried work
  1  a library gives wrong results, or none
  2  an unknown option or name, or a library that is missing or cannot be used
"""


def parser() -> argparse.ArgumentParser:
    """Return what is understood on the command line."""
    names = ", ".join(library.name for library in _libraries.TABLE)
    parser = argparse.ArgumentParser(
        prog="python -m anygrad",
        description="Say which array libraries are installed here, and whether\n"
        "anygrad works with them.  Nothing is imported but what is asked for.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "libraries",
        nargs="*",
        metavar="LIBRARY",
        help=f"import this one and try it: {names}",
    )
    parser.add_argument(
        "--all", action="store_true", help="import and try all that are installed"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON, for other programs"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is found; return the status of the command."""
    command = parser()
    options = command.parse_args(arguments)
    for name in options.libraries:
        if name not in BY_NAME:
            known = ", ".join(library.name for library in _libraries.TABLE)
            command.error(f"LIBRARY must be one of {known}. Got {name!r}.")
    asked = {BY_NAME[name].name for name in options.libraries}
    found = _reports.reports(lambda library: options.all or library.name in asked)
    if options.json:
        rows = [report._asdict() for report in found]
        print(json.dumps(_reports.surroundings() | {"libraries": rows}, indent=2))  # noqa: T201 - a command
    else:
        print("\n".join(_reports.lines(found)), LEGEND, sep="\n", end="")  # noqa: T201
    missing = [
        report
        for report in found
        if not report.is_usable and (report.library in asked or report.detail)
    ]
    for report in missing:
        print(f"{command.prog}: {_sentence(report)}", file=sys.stderr)  # noqa: T201
    if missing:
        return 2
    return 1 if any(report.status == "wrong" for report in found) else 0


def _sentence(report: Report) -> str:
    """Return what is wrong with a library that cannot be used, and what helps."""
    if report.status == "unusable":
        return f"{report.library} cannot be used here: {report.detail}"
    distribution = BY_NAME[report.library].distributions[0]
    return f"{report.library} is not installed. Try `pip install {distribution}`."


if __name__ == "__main__":
    _commands.leave(main)
