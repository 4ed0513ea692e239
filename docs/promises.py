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

from anygrad.testing import checks, functions_of, gradient_of, run_checks

PAGE = Path(__file__).parent / "guide" / "conformance.md"
BEGIN, END = "<!-- begin of the table -->\n", "<!-- end of the table -->"

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


def table():
    """Return the table in Markdown."""
    ours = [outcomes("anygrad", name) for name in dict.fromkeys(PEERS.values())]
    worst = [min(column, key=ORDER.index) for column in zip(*ours, strict=True)]
    columns = {
        "anygrad": worst,
        **{name: outcomes(name, namespace) for name, namespace in PEERS.items()},
    }
    lines = [["promise", *columns], ["---"] * (1 + len(columns))]
    for check, *row in zip(checks, *columns.values(), strict=True):
        lines.append([check.__doc__, *map(MARKS.get, row)])
    sums = (
        f"**{column.count('kept')}** of {len(column) - column.count('not applicable')}"
        for column in columns.values()
    )
    lines.append(["**kept, of those that apply**", *sums])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main():
    """Write the table, or compare it; return 1 where it is another one."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    return 0 if made == page or "--check" not in sys.argv[1:] else 1


if __name__ == "__main__":
    sys.exit(main())
