"""The door to what is installed, what serves it, and whether it works."""

from __future__ import annotations

from typing import TextIO


def show_versions(file: TextIO | None = None, *, every: bool = False) -> None:
    """Print what a bug report needs: versions, devices, and whether all works.

    Libraries that have been imported are tried: each computes the examples of
    the page of `torch.gradient`.  Others are found, and not imported.

    Parameters
    ----------
    file : text file or None, default: None
        Where to print; None is the standard output.
    every : bool, default: False
        Whether to import and try all libraries that are installed.

    Examples
    --------
    >>> import anygrad
    >>> anygrad.show_versions()  # doctest: +SKIP
    """
    from . import _reports  # milliseconds that `import anygrad` need not take

    found = _reports.reports(lambda library: every or _reports.is_imported(library))
    for line in _reports.lines(found):
        print(line, file=file)
