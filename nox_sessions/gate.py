"""The sessions of the gate, which `nox` runs, and one that shows what `docs` builds."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import nox

from nox_sessions.settings import (
    DIST,
    EXTRAS,
    LIBRARIES,
    LIGHT,
    PAGES,
    PYPROJECT,
    PYTHONS,
    ROOT,
    TOOLS,
)
from nox_sessions.steps import briefly, check, install, on, on_other, paths

#: Where each call is compiled or becomes a graph, a value of each argument does, and
#: not each pair;
BRIEF = ("jax", "dask", "cupy")

#: and here, what is covered is not measured: it would cost a minute and add little.
UNMEASURED = ("jax",)

#: All that may be in the wheel: the package, and what is written about it.
IN_THE_WHEEL = r"anygrad/(?!tests).*\.(py|typed)|anygrad_array-[^/]*\.dist-info/.*"

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
