"""How the documentation is built: ``nox -s docs``.

The tables of array libraries are written here, from the tables that the code itself
reads, so that they cannot say anything else.
"""

import inspect
import os
import re
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for what stands beside this file
import figures

import anygrad
from anygrad import _dispatch, _libraries, _refusals

ROOT = Path(__file__).parent.parent

project = "anygrad"
author = "anygrad contributors"
copyright = f"2026, {author}"
version = release = anygrad.__version__

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]

# The types are in the docstrings, where they can speak of shapes.
autodoc_typehints = "none"
numpydoc_show_class_members = False
copybutton_exclude = ".linenos, .gp, .go"

# The recipes run whenever the documentation is built, and a failure of one fails it.
sphinx_gallery_conf = {
    "abort_on_example_error": True,
    "backreferences_dir": "recipes/used",
    "capture_repr": (),
    "doc_module": ("anygrad",),
    "examples_dirs": "../examples/recipes",
    "filename_pattern": r"\.py$",
    "gallery_dirs": "recipes",
    "min_reported_time": 3600,  # in seconds; they are not the reader's
    "image_scrapers": ("matplotlib", "gallery.animations"),
    "reset_modules": ("matplotlib", "gallery.transparent"),
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 3

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"anygrad {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]

# Links into the manuals of others need the network, and so must be asked for.
if os.environ.get("ANYGRAD_DOCS_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
        "jax": ("https://docs.jax.dev/en/latest", None),
        "dask": ("https://docs.dask.org/en/stable", None),
        "xarray": ("https://docs.xarray.dev/en/stable", None),
    }
else:
    others = r"(array_api_compat|cupy|dask|jax|numpy|scipy|torch|xarray)\..*"
    nitpick_ignore_regex = [("py:.*", others), ("py:exc", r"\w+Error")]


def table(header, rows):
    """Return the Markdown of a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def code(*names):
    """Return names as code, each on a line of its own."""
    return "<br>".join(f"`{name}`" for name in names) or "–"


def span(oldest, newest):
    """Return both ends of the tested versions, or the only one."""
    only = newest in {oldest, f"{oldest}.0"}
    return newest if only else f"{oldest} to {newest}"


def tested_versions():
    """Return, for each distribution, the extra and the versions that tests run on."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    newest, versions = newest_versions(), {}
    for extra, requirements in metadata["project"]["optional-dependencies"].items():
        name, _, oldest = requirements[0].partition(">=")
        name = name.partition("[")[0]
        if extra != "example":  # a library's own comes before those that need it, too
            versions.setdefault(name, (extra, oldest, newest[name]))
    return versions


def newest_versions():
    """Return the newest version of each library that the tests run on."""
    return dict(pins())


def pins():
    """Return the pinned names and versions; of two, that of Python 3.11 is first."""
    files = (ROOT / "constraints.txt", ROOT / "constraints-tools.txt")
    lines = "".join(path.read_text(encoding="utf-8") for path in files)
    return re.findall(r"^([\w-]+)==([^\s;]+)", lines, re.MULTILINE)


def libraries():
    """Return the table of libraries for `guide/backends.md`."""
    versions = tested_versions()
    rows = []
    for library in _libraries.TABLE:
        known = [versions[name] for name in library.distributions if name in versions]
        rows.append(
            [
                code(library.name),
                code(arrays(library)),
                code(*(extra for extra, _, _ in known)),
                "<br>".join(dict.fromkeys(span(a, b) for _, a, b in known)),
                library.remark,
            ]
        )
    header = ["library", "arrays", "extra", "tested versions", "remark"]
    return table(header, rows)


def arrays(library):
    """Return the class of a library's arrays as its users write it, not its makers."""
    in_package = library.namespace.endswith(".numpy")  # `jax.Array`
    home = library.package if in_package else library.namespace
    return f"{home}.{library.family[0]}"


def rows_of_executors():
    """Return each library's name, and the modules of what runs on its arrays."""
    for name, load in _dispatch.EXECUTORS.items():
        executors = load()
        functions = executors.exact, executors.fallback
        # Dask's is told how to run a chunk.
        plain = [getattr(function, "func", function) for function in functions]
        yield name, [function.__module__ for function in plain]


def room(module):
    """Return the name of a module as it stands in tables."""
    return f"`{module.rpartition('.')[2].removeprefix('_')}`"


def executors():
    """Return the table of executors for `guide/backends.md`."""
    rows = [[code(name), *map(room, modules)] for name, modules in rows_of_executors()]
    return table(["library", "its own arrays", "subclasses, traced values"], rows)


def rooms():
    """Return what each executor does: the first sentence of its module."""
    modules = dict.fromkeys(m for _, modules in rows_of_executors() for m in modules)
    rows = [
        [
            room(name),
            inspect.getdoc(sys.modules[name]).partition("\n\n")[0].replace("\n", " "),
        ]
        for name in modules
    ]
    return table(["executor", "what it is"], rows)


def refused():
    """Return the table of refused classes for `guide/backends.md`."""
    rows = {}
    for refusal in _refusals.REFUSED:
        if refusal.carried is not None:
            continue
        names = [f"{refusal.package}.{name}" for name in refusal.classes]
        rows.setdefault((refusal.rule, refusal.remedy), []).extend(names)
    return table(
        ["class", "it is", "instead"],
        [[code(*names), rule, remedy] for (rule, remedy), names in rows.items()],
    )


def others():
    """Return the table of further libraries, which the tests hold to what it says."""
    listed = tomllib.loads((ROOT / "tests" / "others.toml").read_text(encoding="utf-8"))
    versions, rows = newest_versions(), []
    for name, row in sorted(listed.items()):
        failures = [f"{call}: {why}" for call, why in row.get("cannot", {}).items()]
        cannot = "<br>".join(failures) or "–"
        rows.append([code(name), versions[name], row["remark"], cannot])
    return table(["library", "tested version", "remark", "does not work"], rows)


myst_substitutions = {
    "libraries": libraries(),
    "executors": executors(),
    "rooms": rooms(),
    "refused": refused(),
    "others": others(),
    "machine": figures.measured()[0],
    "summary": figures.summary(),
    "missed": figures.missed(),
    "targets": sum(bool(figure.target) for figure in figures.measured()[1]),
    "misses": sum(figure.missed for figure in figures.measured()[1]),
    **{f"figures_{name}": figures.of_library(name) for name in (*figures.OWN, "other")},
    **dict(reversed(pins())),  # with which the tests run the pages
}
