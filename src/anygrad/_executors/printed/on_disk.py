"""Texts that Numba compiles, as modules in a folder of the user.

Numba's own cache wants a file to be beside.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..._version import __version__
from . import loops


def loaded(text: str) -> Callable[..., None]:
    """Return the function of a module, from the user's folder where there is one."""
    import numba

    digest = hashlib.sha256(text.encode()).hexdigest()[:24]
    name = f"anygrad_kernel_{digest}"
    # A folder that nothing can be kept in, or that holds what is broken, is no reason
    # not to compile: a file that was cut off raises whatever its parts may mean.
    with contextlib.suppress(Exception):
        folder = user_folder() / f"{__version__}-numba-{numba.__version__}"
        try:
            return _kept(name, text, folder)
        except Exception:
            for path in folder.rglob(f"{name}*"):  # for a later process to make anew
                path.unlink()
            raise
    namespace: dict[str, Any] = {"__name__": name}
    exec(text.replace(loops.KEPT, loops.NOT_KEPT), namespace)
    function: Callable[..., None] = namespace["kernel"]
    return function


def _kept(name: str, text: str, folder: Path) -> Callable[..., None]:
    """Return the function of a module that is in a folder, or put there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        _write(path, text)
    return _imported(name, path)


def user_folder() -> Path:
    """Return the folder for what can be made again, by the rules of the system."""
    told = os.environ.get("ANYGRAD_CACHE_DIR")
    if told:
        return Path(told)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "anygrad"


def _write(path: Path, text: str) -> None:
    """Write a file at once, because another process may read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise


def _imported(name: str, path: Path) -> Callable[..., None]:
    spec: Any = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where Numba looks for what it has kept of it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    function: Callable[..., None] = module.kernel
    return function
