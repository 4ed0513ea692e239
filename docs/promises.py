"""The table of promises in `guide/conformance.md`: who keeps which.

``python docs/promises.py`` runs the suite and writes the table; with ``--check``, it
only compares.  It needs all the libraries of the table.
"""

import importlib
import os
import sys
from pathlib import Path

# Two devices, which must be asked for before JAX is imported.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

from tables import rewrite, table

from anygrad.testing import checks, functions_of, gradient_of, run_checks

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
    """Return the outcome of every check."""
    verdicts = run_checks(
        gradient_of(gradient),
        importlib.import_module(namespace),
        functions=functions_of(gradient),
    )
    return [verdict.outcome for verdict in verdicts]


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
        for check, *row in zip(checks, *columns.values(), strict=True)
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
