"""The sessions that run when they are asked for: longer ones, and a short one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nox

from nox_sessions.settings import EXTRAS, HEAVY, ROOT
from nox_sessions.steps import check, install, on, on_other, paths

# Packages whose own tests run with their gradient replaced.
SITES = nox.project.load_toml(ROOT / "tests" / "sites" / "sites.toml")


@nox.session(default=False)
def quick(session: nox.Session) -> None:
    """Look for two minutes whether anything is broken, on two libraries at once."""
    install(session, "test", "-e.[numpy,array-api-strict]")
    check(session, *on("numpy", "array-api-strict"), "--brief")


@nox.session(default=False, venv_backend="none", allow_parallel=False)
def full(session: nox.Session) -> None:
    """Do all that `nox` does, with all combinations and all that is slow."""
    options = ("--", "--full", *session.posargs)
    session.run(sys.executable, "-m", "nox", *options, external=True)


@nox.session(default=False)
@nox.parametrize("library", [nox.param(name, id=name) for name in HEAVY])
def heavy(session: nox.Session, library: str) -> None:
    """Do the same on a library that is large or slow."""
    on_other(session, library)


@nox.session(default=False)
@nox.parametrize("package", [nox.param(name, id=name) for name in SITES])
def sites(session: nox.Session, package: str) -> None:
    """Run a package's own tests, before and after its gradient is anygrad's."""
    row = SITES[package]
    install(session, "test", "pip", "-e.", *row["requires"])
    folder = Path(session.create_tmp())
    if row.get("sdist"):  # where its tests are
        requirement = row["requires"][0]
        name = requirement.partition("==")[0]
        command = ["pip", "download", "--no-deps", f"--no-binary={name}"]
        session.run("python", "-m", *command, f"--dest={folder}", requirement)
        (archive,) = folder.glob("*.tar.gz")
        shutil.unpack_archive(archive, folder)
        folder = folder / archive.name.removesuffix(".tar.gz")
    run = "tests/sites/run.py"
    session.run("python", run, package, f"--folder={folder}", *session.posargs)


@nox.session(default=False)
def labels(session: nox.Session) -> None:
    """Compare the doors for labelled arrays with MetPy and xgcm, on elevations."""
    install(session, "test", "matplotlib", "metpy", "xgcm", "-e.[numpy,xarray]")
    check(session, "tests/sites/labelled.py", "-W", "ignore::DeprecationWarning")


@nox.session(default=False)
def cluster(session: nox.Session) -> None:
    """Run on several processes: Dask's workers, of 400 MB each, and ranks of MPI."""
    install(session, "cluster", "mpi4py", "openmpi", "-e.[dask,numba]")
    options = (*on("dask"), "--cluster", "--full", "-k", "cluster or mpi")
    check(session, *options, *paths(["cluster", "blocks_page"]))


@nox.session(default=False)
def processes(session: nox.Session) -> None:
    """Run on JAX arrays that two processes hold together, with all functions."""
    install(session, "test", "-e.[jax]")
    check(session, *on("jax"), "--cluster", *paths(["two_processes"]))


@nox.session(default=False)
def nvrtc(session: nox.Session) -> None:
    """Compile the kernels for GPUs with NVIDIA's own compiler, which needs no GPU."""
    compilers = ("cuda-bindings>=13", "nvidia-cuda-nvrtc>=13", "cuda-core>=1.2")
    headers = ("nvidia-cuda-runtime>=13", "nvidia-cuda-cccl>=13")
    install(session, "test", *compilers, *headers, "-e.[numpy,cupy-cuda13x]")
    check(session, *on(), "tests/test_nvrtc.py")


@nox.session(default=False)
def sanitize(session: nox.Session) -> None:
    """Run the kernels for GPUs on the CPU, each access checked by GCC's sanitizers."""
    install(session, "test", "-e.[numpy,cupy-cuda13x]")
    asked = ("g++", "-print-file-name=libasan.so")
    library = session.run(*asked, external=True, silent=True)
    session.env.update(
        CXX="g++ -fsanitize=address,alignment -fno-sanitize-recover=all",
        LD_PRELOAD=str(library).strip(),
        ASAN_OPTIONS="detect_leaks=0",  # Python's own
    )
    check(session, *on("cupy"), *paths(["kernels", "variants", "long_kernels"]))


@nox.session(default=False, allow_parallel=False)  # others would be measured, too
def bench(session: nox.Session) -> None:
    """Measure times and memory against the libraries themselves, roughly."""
    install(session, "bench", "-e.[numpy,numba,torch,jax,dask]")
    session.run("python", "benchmarks/ratios.py", "--quick", *session.posargs)
    # asv wants to know the machine, and keeps that in the home directory.
    home = {"HOME": session.create_tmp(), "USERPROFILE": session.create_tmp()}
    session.chdir("benchmarks")
    session.run("asv", "machine", "--yes", env=home)
    session.run("asv", "run", "--quick", "--python=same", env=home)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Call at random, two minutes long: `-- --seconds 3600 --seed 7` for an hour."""
    extras = [extra for name, extra in EXTRAS.items() if name != "cupy"]
    install(session, "test", f"-e.[{','.join(extras)}]")
    session.run("python", "tests/fuzz.py", *session.posargs)
