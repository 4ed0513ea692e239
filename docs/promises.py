"""The table of promises in `guide/conformance.md`: who keeps which.

``python docs/promises.py`` runs the suite and writes the table; with ``--check``, it
only compares: all promises, or those that are named as the table has them.  It needs
all the libraries of the table.
"""

import importlib
import os
import sys
from pathlib import Path

# Two devices, which must be asked for before JAX is imported.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

from tables import chosen, rewrite, table

from anygrad import testing
from anygrad.testing import functions_of, gradient_of
from anygrad.testing._running import _verdict, standard_namespace

PAGE = Path(__file__).parent / "guide" / "conformance.md"

#: Whose gradient, and on the arrays of which namespace.
PEERS = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax.numpy",
    "dask": "dask.array",
    "findiff": "numpy",
}
MARKS = {"kept": "yes", "broken": "**no**", "not applicable": "–"}

#: What anygrad's column says where its libraries differ: the worst.
ORDER = ("broken", "kept", "not applicable")


def outcomes(gradient, namespace):
    """Return the outcome of every check; for those that are named, in a moment."""
    xp = standard_namespace(importlib.import_module(namespace))
    functions = functions_of(gradient)
    return [
        _verdict(check, gradient_of(gradient), xp, functions).outcome
        for check in checks()
    ]


def checks():
    """Return all checks, or those that the command line names."""
    return [c for c in testing.checks if c.__doc__ in (chosen() or [c.__doc__])]


def promises():
    """Return the table of all checks."""
    ours = [outcomes("anygrad", name) for name in dict.fromkeys(PEERS.values())]
    worst = [min(column, key=ORDER.index) for column in zip(*ours, strict=True)]
    columns = {
        "anygrad": worst,
        **{name: outcomes(name, namespace) for name, namespace in PEERS.items()},
    }
    rows = [
        [check.__doc__, *map(MARKS.get, row)]
        for check, *row in zip(checks(), *columns.values(), strict=True)
    ]
    sums = (
        f"**{column.count('kept')}** of {len(column) - column.count('not applicable')}"
        for column in columns.values()
    )
    rows.append(["**kept, of those that apply**", *sums])
    return table(["promise", *columns], rows)


def main():
    """Write the table, or compare it; return 1 where it is another one."""
    return rewrite(PAGE, {"the table": promises})


if __name__ == "__main__":
    sys.exit(main())
