"""`python -m anygrad.testing NAMESPACE`: the promises, held on an installed library."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..testing._adapters import ADAPTERS, functions_of, gradient_of
from ..testing._arrays import Gradient
from ..testing._running import run_checks


def _gradient(name: str) -> Gradient:
    module, _, function = name.partition(":")
    if not function:
        return gradient_of(module)
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


def _functions(name: str | None, gradient: str) -> Any:
    """Return the functions of a module; by default, those beside the gradient."""
    if name is not None:
        return importlib.import_module(name)
    return {} if ":" in gradient else functions_of(gradient)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a verdict for every promise; return 1 if one is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m anygrad.testing",
        description="Hold a gradient to the promises, on arrays of one library.",
    )
    parser.add_argument("namespace", help="where arrays are made, e.g. jax.numpy")
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
    options = parser.parse_args(arguments)
    try:
        gradient = _gradient(options.gradient)
        functions = _functions(options.functions, options.gradient)
        xp = importlib.import_module(options.namespace)
    except (AttributeError, ImportError, ValueError) as error:
        parser.error(str(error))
    verdicts = run_checks(gradient, xp, functions=functions)
    for name, outcome, reason in verdicts:
        print(f"{outcome:14}  {name}{reason and ': '}{reason}")  # noqa: T201 - a command
    counts = Counter(verdict.outcome for verdict in verdicts)
    print(", ".join(f"{n} {outcome}" for outcome, n in counts.items()))  # noqa: T201
    return 1 if counts["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
