"""What others ship: a copy of the package, under another name, inside their own."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anygrad
from backends import Backend

TESTS = Path(__file__).parent
SOURCE = Path(anygrad.__file__).parent

#: What tests import as `anygrad` is the copy: a plugin of pytest, loaded before them.
PLUGIN = '''
import importlib, pkgutil, sys

class Original:
    """Whoever still asks for anygrad by its own name finds nothing."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "anygrad":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Original())
copy = importlib.import_module("host.vendored.slopes")
assert copy.gradient.__module__ == "host.vendored.slopes"
sys.modules["anygrad"] = copy
for found in pkgutil.walk_packages(copy.__path__, f"{copy.__name__}."):
    alias = found.name.replace(copy.__name__, "anygrad", 1)
    try:
        sys.modules[alias] = importlib.import_module(found.name)
    except ImportError as error:
        assert found.name.endswith("__main__") or "xarray" in str(error)
'''


def test_own_modules_are_imported_relatively() -> None:
    """By its own name, a copy would find another anygrad, or none."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            own = [name for name in names if name.partition(".")[0] == "anygrad"]
            assert not own, f"{path.name}:{node.lineno}"


def run_in(folder: Path, *arguments: str) -> str:
    paths = os.pathsep.join([str(folder), str(TESTS)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.once
def test_a_copy_under_another_name(library: Backend, tmp_path: Path) -> None:
    """Copied and nothing else, it passes its own tests where anygrad is not."""
    target = tmp_path / "host" / "vendored" / "slopes"
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    files = ("reference", "plans", "executors")
    out = run_in(
        tmp_path,
        *("-m", "pytest", "-p", "plugin", "-q", "-p", "no:cacheprovider"),
        *("--backend", library.library, "-m", "not peers", "--brief"),
        f"--config-file={TESTS.parent / 'pyproject.toml'}",
        *(str(TESTS / f"test_{name}.py") for name in files),
    )
    assert " passed" in out
    assert "failed" not in out
    shown = run_in(tmp_path, "-m", "host.vendored.slopes")
    assert f"anygrad {anygrad.__version__}" in shown
