"""The machine: what its tools are told before a run, and what it lacks for one."""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

from nox_sessions import progress
from nox_sessions.settings import LIBRARIES, PYTHONS, ROOT

#: What was asked of nox; a parallel run asks another nox for each of its sessions.
ASKED = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]

#: The options that choose sessions, or only show something.
CHOICE = re.compile(
    r"-[a-zA-Z]*[sektplh]|--(session|python|keyword|tag|list|help|version|usage)"
)

#: What uv reads in the place of a setting of pip's, which it does not read.
SETTINGS = {
    "cert": "SSL_CERT_FILE",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
}

#: What the package index's torch for Linux brings along: to download, and on disk.
CUDA_GIGABYTES = (2.7, 4.6)


def prepare() -> None:
    """Tell the tools what they need, once per run, and stop where it cannot succeed."""
    show_pythons()
    if "--parallel-worker" in ASKED:
        return
    tell_uv()
    give_home()
    if not any(map(CHOICE.match, ASKED)) and "NOXSESSION" not in os.environ:
        if sentence := compiler_is_missing():
            sys.exit(f"nox > {sentence}")
        if sentence := torch_brings_cuda():
            sys.stderr.write(f"nox > {sentence}\n")
    progress.show()


def show_pythons() -> None:
    """Have pyenv, which shows one Python at a time, show all those of the tests."""
    if pyenv := shutil.which("pyenv"):
        output = subprocess.check_output([pyenv, "versions", "--bare"], text=True)
        usable = [v for v in output.split() if v.rpartition(".")[0] in PYTHONS]
        os.environ.setdefault("PYENV_VERSION", ":".join(usable))


def tell_uv() -> None:
    """Say to uv what pip has been told, by variables or in its files."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=False).stdout
    told = {}
    for section in ("global", "install", ":env:"):  # the last word counts
        found = re.findall(rf"^{section}\.([\w-]+)=(.*)$", listed, re.MULTILINE)
        told |= {name: ast.literal_eval(value) for name, value in found}
    folders = told.get("find-links", "").split()
    told["find-links"] = ",".join(folders)
    if not all(Path(folder).is_dir() for folder in folders):
        del told["find-links"]  # uv stops with an error where pip only warns
    for name, variable in SETTINGS.items():
        if told.get(name):
            os.environ.setdefault(variable, told[name])
    # As pip does, trust those whom the machine trusts, a proxy among them.
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        os.environ.setdefault("UV_SYSTEM_CERTS", "true")


def give_home() -> None:
    """Where no home can be written to, let the tools keep their caches here."""
    try:
        usable = os.access(Path.home(), os.W_OK)
    except RuntimeError:  # nobody knows where it is
        usable = False
    if not usable:
        home = ROOT / ".nox" / "home"
        home.mkdir(parents=True, exist_ok=True)
        os.environ["HOME"] = str(home)


@functools.cache
def torch_brings_cuda() -> str | None:
    """Have uv take torch's CPU build where it can; return what is to be said if not."""
    if sys.platform != "linux" or "UV_TORCH_BACKEND" in os.environ:
        return None
    folders = os.environ.get("UV_FIND_LINKS", "").split(",")
    if any(any(Path(folder).glob("torch-*.whl")) for folder in folders if folder):
        return None
    # uv knows where PyTorch's own index is.  Does it answer?
    path = [Path(sys.executable).parent, os.environ.get("PATH", os.defpath)]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(map(str, path)),
        "UV_TORCH_BACKEND": "cpu",
        "UV_HTTP_TIMEOUT": "5",
        "UV_HTTP_RETRIES": "0",
    }
    ask = ["uv", "pip", "compile", "--no-deps", f"--python={sys.executable}"]
    try:
        answer = subprocess.run(
            [*ask, f"--constraints={LIBRARIES}", "-"],
            input=b"torch",
            capture_output=True,
            check=False,
            env=environment,
            timeout=20,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):  # no uv, or no answer
        answer = 1
    if answer == 0:
        os.environ["UV_TORCH_BACKEND"] = "cpu"
        return None
    download, disk = CUDA_GIGABYTES
    return (
        f"torch comes with CUDA from this package index: {download} GB to download, "
        f"{disk} GB on disk (the CPU build, 0.2 GB, is taken where PyTorch's own index "
        "answers or pip is told of a folder that holds it)"
    )


def compiler_is_missing() -> str | None:
    """Return what to install where CuPy cannot be emulated; it is where no GPU is."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        from cupy_on_cpu import _availability, _compiler
    finally:
        del sys.path[0]
    if _compiler.find_command() or _availability.gpu_present():
        return None
    return (
        "tests(cupy) compiles CuPy's kernels for the CPU and finds no C++ compiler: "
        "install g++ (Debian, Ubuntu: apt-get install g++; Fedora: dnf install "
        "gcc-c++) or clang++, or name one in the variable CXX"
    )
