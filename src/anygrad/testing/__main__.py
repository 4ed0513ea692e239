"""`python -m anygrad.testing NAMESPACE`: the promises, held on an installed library."""

from __future__ import annotations

import argparse
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _commands, _libraries
from .._reports import brief
from ..testing._adapters import ADAPTERS, functions_of, gradient_of
from ..testing._arrays import Gradient
from ..testing._checks import checks
from ..testing._running import Verdict, run_checks

#: The modules in which arrays are made, by the names of their libraries.
NAMESPACES = {library.name: library.namespace for library in _libraries.TABLE}

STATUS = """
exit status:
  0  no promise is broken
  1  a promise is broken
  2  an unknown option or name, or a module that is missing or cannot be used
"""


class UnusableError(Exception):
    """What is named on the command line cannot be used."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anygrad.testing",
        description="Hold a gradient to the promises of anygrad, on arrays of one "
        "library.",
        epilog=STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "namespace",
        metavar="NAMESPACE",
        help=f"where arrays are made: {', '.join(NAMESPACES)}, or any module of the "
        "array API standard, e.g. jax.numpy",
    )
    parser.add_argument(
        "--gradient",
        default="anygrad",
        metavar="NAME",
        help=f"whose gradient: {', '.join(ADAPTERS)}, or MODULE:FUNCTION (anygrad)",
    )
    parser.add_argument(
        "--functions",
        metavar="MODULE",
        help="where derivative, divergence, curl, laplacian, jacobian and hessian are "
        "(those of the library of the gradient)",
    )
    parser.add_argument(
        "--broken", action="store_true", help="print the broken promises only"
    )
    return parser


def _module(name: str) -> Any:
    """Import a module; whatever goes wrong on the way is said in a sentence."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        package = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            msg = f"{package} is not installed: there is no module of that name."
        else:
            msg = f"{name} cannot be imported here: {brief(error)}"
        raise UnusableError(msg) from error


def _namespace(name: str) -> Any:
    """Return the module in which arrays are made, if it makes any."""
    module = NAMESPACES.get(name, name)
    xp = _module(module)
    if not hasattr(xp, "asarray"):
        msg = f"{module} makes no arrays: it has no function asarray."
        raise UnusableError(msg)
    try:
        xp.asarray(0.0)
    except Exception as error:
        msg = f"{module} makes no arrays here: {brief(error)}"
        raise UnusableError(msg) from error
    return xp


def _gradient(name: str) -> Gradient:
    module, _, function = name.partition(":")
    if function:
        found = getattr(_module(module), function, None)
        if not callable(found):
            msg = f"{module} has no function {function}."
            raise UnusableError(msg)
        return found  # type: ignore[no-any-return]
    if module not in ADAPTERS:
        known = ", ".join(ADAPTERS)
        msg = f"--gradient must be one of {known}, or MODULE:FUNCTION. Got {name!r}."
        raise UnusableError(msg)
    return _adapted(gradient_of, module)  # type: ignore[no-any-return]


def _adapted(of: Callable[[str], Any], library: str) -> Any:
    """Return what an adapter has of a library, which it imports."""
    try:
        return of(library)
    except Exception as error:
        msg = f"the gradient of {library} cannot be used here: {brief(error)}"
        raise UnusableError(msg) from error


def _functions(name: str | None, gradient: str) -> Any:
    """Return the functions of a module; by default, those beside the gradient."""
    if name is not None:
        return _module(name)
    return {} if ":" in gradient else _adapted(functions_of, gradient)


def _lines(verdicts: Sequence[Verdict], *, broken_only: bool) -> Iterator[str]:
    """Return the promises in words, each with the reason where there is one."""
    promises = {check.__name__: check.__doc__ for check in checks}
    for name, outcome, reason in verdicts:
        if broken_only and outcome != "broken":
            continue
        yield f"{outcome:14}  {promises[name]}"
        if reason:
            yield f"{'':14}  {name}: {reason}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a verdict for every promise; return 1 if one is broken."""
    command = _parser()
    options = command.parse_args(arguments)
    try:
        gradient = _gradient(options.gradient)
        functions = _functions(options.functions, options.gradient)
        xp = _namespace(options.namespace)
    except UnusableError as error:
        command.error(str(error))
    verdicts = run_checks(gradient, xp, functions=functions)
    for line in _lines(verdicts, broken_only=options.broken):
        print(line)  # noqa: T201 - a command
    counts = Counter(verdict.outcome for verdict in verdicts)
    print(", ".join(f"{n} {outcome}" for outcome, n in counts.items()))  # noqa: T201
    return 1 if counts["broken"] else 0


if __name__ == "__main__":
    _commands.leave(main)
