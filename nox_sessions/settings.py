"""What several sessions read: folders, libraries, and the files of versions."""

from __future__ import annotations

from pathlib import Path

import nox

ROOT = Path(__file__).parent.parent
DIST = ROOT / ".nox" / "dist"
PAGES = "docs/_build/html"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

#: The name of a backend, as in `pytest --backend`, and the extra that installs it.
#: What takes long comes first, here and among the sessions, so that no core is idle at
#: the end.
EXTRAS = {
    "jax": "jax",
    "torch": "torch",
    "dask": "dask",
    "cupy": "cupy-cuda13x",
    "numpy": "numpy",
    "array-api-strict": "array-api-strict",
}

# Libraries that have no row of their own in anygrad's table, and no extra.
OTHERS = nox.project.load_toml(ROOT / "tests" / "others.toml")
HEAVY = [name for name, row in OTHERS.items() if "heavy" in row]
LIGHT = [name for name in OTHERS if name not in HEAVY]

# The versions of a run, for pip and for uv.  The paths are relative because both tools
# split the value at blanks, and the path of a checkout may hold some.
TOOLS, LIBRARIES = "constraints-tools.txt", "constraints.txt"
