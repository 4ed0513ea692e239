"""Every check, by name: `nox` runs all, `nox -l` lists them, `nox -s lint` runs one.

Arguments after `--` go to pytest: `nox -s "tests(torch)" -- -x -k coordinates`.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
# One session per core.  `nox -j 1` runs them in turn and shows all output at once.
nox.options.parallel = "auto"
nox.options.allow_parallel = True
# The later Pythons are used where they exist: none is downloaded, none demanded.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
DIST = ROOT / ".nox" / "dist"
PAGES = "docs/_build/html"
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

#: The name of a backend, as in `pytest --backend`, and the extra that installs it.
#: What takes long comes first, here and below, so that no core is idle at the end.
EXTRAS = {
    "jax": "jax",
    "torch": "torch",
    "dask": "dask",
    "cupy": "cupy-cuda13x",
    "numpy": "numpy",
    "array-api-strict": "array-api-strict",
}

#: Where each call is compiled or becomes a graph, a value of each argument does, and
#: not each pair;
BRIEF = ("jax", "dask", "cupy")

#: and here, what is covered is not measured: it would cost a minute and add little.
UNMEASURED = ("jax",)

# Libraries that have no row of their own in anygrad's table, and no extra.
OTHERS = nox.project.load_toml("tests/others.toml")
HEAVY = [name for name, row in OTHERS.items() if "heavy" in row]
LIGHT = [name for name in OTHERS if name not in HEAVY]

# Packages whose own tests run with their gradient replaced.
SITES = nox.project.load_toml("tests/sites/sites.toml")

#: All that may be in the wheel: the package, and what is written about it.
IN_THE_WHEEL = r"anygrad/(?!tests).*\.(py|typed)|anygrad_array-[^/]*\.dist-info/.*"

# The versions of a run, for pip and for uv.  The paths are relative because both tools
# split the value at blanks, and the path of a checkout may hold some.
TOOLS, LIBRARIES = "constraints-tools.txt", "constraints.txt"

#: What the package index's torch for Linux brings along: to download, and on disk.
CUDA_GIGABYTES = (2.7, 4.6)

#: What uv reads in the place of a setting of pip's, which it does not read.
SETTINGS = {
    "cert": "SSL_CERT_FILE",
    "find-links": "UV_FIND_LINKS",
    "index-url": "UV_DEFAULT_INDEX",
}

#: Where sessions that run beside each other say how far they are.
PROGRESS = ROOT / ".nox" / "progress"

#: The files that are covered to the last branch.
STRICT = (
    "_calls",
    "_dispatch",
    "_keys",
    "_libraries",
    "_kept_plans",
    "_lengths",
    "_plans",
    "_refusals",
    "_tasks",
)

# pyenv shows one Python at a time.  Show all those of the classifiers.
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


def read_out(progress: Path) -> None:
    """Print what is written to a file, as long as the process lasts."""
    with progress.open(encoding="utf-8") as file:
        while True:
            # Whole lines past Python's own buffer, so that nothing is held at the end.
            for line in iter(file.readline, ""):
                os.write(1, line.encode())
            time.sleep(1)


#: What was asked of nox; a parallel run asks another nox for each of its sessions.
ASKED = sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]
#: The options that choose sessions, or only show something.
CHOICE = re.compile(
    r"-[a-zA-Z]*[sektplh]|--(session|python|keyword|tag|list|help|version|usage)"
)

if "--parallel-worker" not in ASKED:
    tell_uv()
    give_home()
    if not any(map(CHOICE.match, ASKED)) and "NOXSESSION" not in os.environ:
        if sentence := compiler_is_missing():
            sys.exit(f"nox > {sentence}")
        if sentence := torch_brings_cuda():
            sys.stderr.write(f"nox > {sentence}\n")
    # nox shows what a session of a parallel run prints when it has ended, unless it
    # writes to a terminal: then its last line is there all the time.
    if not sys.stdout.isatty():
        PROGRESS.parent.mkdir(exist_ok=True)
        PROGRESS.write_text("", encoding="utf-8")
        threading.Thread(target=read_out, args=[PROGRESS], daemon=True).start()


def install(
    session: nox.Session,
    group: str,
    *requirements: str,
    constraints: str = f"{TOOLS} {LIBRARIES}",
) -> None:
    """Install a dependency group and some requirements, at the versions of this run."""
    session.env["PIP_CONSTRAINT"] = session.env["UV_CONSTRAINT"] = constraints
    with_torch = any("torch" in requirement for requirement in requirements)
    if with_torch and (sentence := torch_brings_cuda()):
        session.log(sentence)
    tools = nox.project.dependency_groups(PYPROJECT, group)
    session.install(*tools, *requirements)


def on(*backends: str) -> list[str]:
    """Ask pytest for these libraries: a missing one is an error, never a skip."""
    return ["-m", "not peers", *(f"--backend={backend}" for backend in backends)]


def paths(files: Iterable[str]) -> list[str]:
    """Return where these tests are."""
    return [str(ROOT / "tests" / f"test_{name}.py") for name in files]


def briefly(session: nox.Session, *files: str) -> list[str]:
    """Ask pytest for little of these tests, and for all tests after `-- --full`."""
    full = "--full" in session.posargs
    return [str(ROOT / "tests")] if full else ["--brief", *paths(files)]


def check(session: nox.Session, *arguments: str, measured: bool = False) -> None:
    """Run pytest; at half its speed, tell the session `coverage` what it covers."""
    if session.parallel:
        session.env["ANYGRAD_PROGRESS"] = str(PROGRESS)
    command = ["pytest"]
    if measured:
        session.env["COVERAGE_FILE"] = f".coverage.{session.name}"
        command = ["coverage", "run", "-m", "pytest"]
    session.run(*command, *arguments, *session.posargs)


@nox.session(allow_parallel=False)  # the formatter writes
def lint(session: nox.Session) -> None:
    """Run every hook of .pre-commit-config.yaml on every file that git knows."""
    install(session, "lint")
    session.run("prek", "run", "--all-files", "--show-diff-on-failure")


@nox.session
@nox.parametrize("backend", [nox.param(name, id=name) for name in EXTRAS])
def tests(session: nox.Session, backend: str) -> None:
    """Test on one library, in an environment without the others."""
    group = "cluster" if backend == "dask" else "test"
    install(session, group, f"-e.[{EXTRAS[backend]}]")
    size = ["--brief"] if backend in BRIEF else []
    check(session, *on(backend), *size, measured=backend not in UNMEASURED)


@nox.session(name="all")
def together(session: nox.Session) -> None:
    """Test what needs several libraries at once, and every code block."""
    extras = [extra for name, extra in EXTRAS.items() if name != "cupy"]
    # findiff is a peer in the table of promises.
    packages = f"-e.[example,numba,xarray,{','.join(extras)}]"
    quantities = ("astropy", "pint", "unxt", "unyt")
    more = ("array-api-extra", "beautifulsoup4", "cftime", "findiff", *quantities)
    install(session, "test", *more, packages)
    check(session, "-m", "peers", measured=True)
    session.run("pytest", "--doctest-modules", "-m", "not peers", "src")
    session.run("pytest", "proposal")


@nox.session
def chunks(session: nox.Session) -> None:
    """Test Dask arrays whose chunks are CuPy's, which no other session has both of."""
    install(session, "test", "-e.[cupy-cuda13x,dask]")
    backends = ("--backend=cupy", "--backend=dask")
    check(session, "-m", "peers", *backends, *paths(["chunks_of_cupy"]))


@nox.session
def oldest(session: nox.Session) -> None:
    """Test on the lower bound of every requirement in pyproject.toml but torch's."""
    project = PYPROJECT["project"]
    libraries = [name for name in EXTRAS if name != "cupy"]  # it has one version
    extras = [project["optional-dependencies"][EXTRAS[name]] for name in libraries]
    bounds = sum(extras, project["dependencies"])
    pinned = Path(LIBRARIES).read_text(encoding="utf-8")
    pins = [
        re.sub(r">=([^,]+).*", r"==\1", bound)
        for bound in bounds
        if not bound.startswith("torch")
    ]
    # An older torch brings CUDA along where PyTorch's own index does not answer.
    pins += re.findall(r"^torch==\S+", pinned, re.MULTILINE)
    install(session, "test", "-e.", *pins, constraints=TOOLS)
    # What depends on a library's version; the rest has been tested on the newest.
    files = ("reference", "gradient", "dtypes", "laziness", "chunked", "transforms")
    files += ("chunked_graphs", "torch_way_back", "torch_graphs")
    check(session, *on(*libraries), "--brief", *paths(files))


def on_other(session: nox.Session, library: str) -> None:
    """Test on one of the libraries that tests/others.toml lists."""
    install(session, "test", "-e.", *OTHERS[library]["requires"])
    if library == "dpnp":  # it looks for its device where the system keeps drivers
        driver = Path(session.virtualenv.location, "lib", "libintelocl.so")
        session.env["OCL_ICD_FILENAMES"] = str(driver)
    own = paths(("cubed",)) if library == "cubed" else ()
    given = (f"--other={library}", "tests/test_others.py", *own)
    check(session, *given, measured=library == "cubed")  # it has an executor of its own


@nox.session
@nox.parametrize("library", [nox.param(name, id=name) for name in LIGHT])
def others(session: nox.Session, library: str) -> None:
    """Test on one library that anygrad does not know by name."""
    on_other(session, library)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, every warning an error, and the changelog to come."""
    # The recipes run while the pages are built.
    install(session, "docs", "-e.[dask,example,jax,torch,xarray]")
    session.run("sphinx-build", "-W", "-n", "-T", "docs", PAGES)
    session.run("python", "docs/pages.py", PAGES)
    session.run("towncrier", "build", "--draft", "--version=next")


@nox.session(default=False, requires=["docs"])
def look(session: nox.Session) -> None:
    """Show every page of the documentation to a browser, wide, narrow, light, dark."""
    install(session, "look")
    session.run("python", "docs/look.py", PAGES, *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the sources, and the public promise in tests/typing, by strict mypy."""
    install(session, "types", "-e.")
    session.run("mypy")


@nox.session
def package(session: nox.Session) -> None:
    """Build the source distribution, and from it the wheel, and check both."""
    install(session, "package")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", "--installer=uv", f"--outdir={DIST}")
    session.run("twine", "check", "--strict", *map(str, DIST.iterdir()))
    session.run("check-wheel-contents", str(DIST))


@nox.session(requires=["package"], reuse_venv=False)
def wheel(session: nox.Session) -> None:
    """Test the installed wheel, from a folder where no source is in reach."""
    (built,) = DIST.glob("*.whl")
    install(session, "test", f"{built}[numpy,array-api-strict]")
    session.chdir(session.create_tmp())
    where = "import anygrad; assert 'site-packages' in anygrad.__file__"
    session.run("python", "-c", where)
    config = f"--config-file={ROOT / 'pyproject.toml'}"
    # What a build can leave out, and the suite that is shipped.
    files = ("package", "reference", "gradient", "operators", "conformance")
    libraries = on("numpy", "array-api-strict")
    check(session, *libraries, config, *briefly(session, *files))


@nox.session(requires=["package"], reuse_venv=False)
def bare(session: nox.Session) -> None:
    """Use the wheel with its one dependency, installed by hand, and look inside."""
    (built,) = DIST.glob("*.whl")
    session.install("--no-deps", str(built), "array-api-compat", "-c", LIBRARIES)
    session.run("python", "-m", "anygrad")
    names = zipfile.ZipFile(built).namelist()
    strays = [name for name in names if not re.fullmatch(IN_THE_WHEEL, name)]
    if strays or not any(name.endswith("/licenses/LICENSE") for name in names):
        session.error(f"stray files, or no license: {strays}")


@nox.session(python=PYTHONS[1:])
def python(session: nox.Session) -> None:
    """Test on each later Python that this machine has, and the JAX that needs one."""
    install(session, "test", "-e.[numpy,array-api-strict,jax]")
    # Imports, threads, what is kept between calls, and every call once.
    files = ("package", "reference", "gradient", "arguments", "derivatives")
    files += ("operators", "plans", "workers", "abuse", "executors", "subclasses")
    libraries = on("numpy", "array-api-strict", "jax")
    check(session, *libraries, *briefly(session, *files))


@nox.session
def minimal(session: nox.Session) -> None:
    """Test with no array library at all: anygrad imports, and refuses politely."""
    install(session, "test", "-e.")
    check(session, *on(), measured=True)


@nox.session(requires=["minimal", *(f"tests({name})" for name in EXTRAS), "all"])
def coverage(session: nox.Session) -> None:
    """Hold what these sessions cover together against the floor."""
    install(session, "test")
    session.run("coverage", "combine")
    session.run("coverage", "report")
    files = ",".join(f"src/anygrad/{name}.py" for name in STRICT)
    session.run("coverage", "report", f"--include={files}", "--fail-under=100")


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
