"""Every code block of the README and of the documentation runs, and is right.

Each block runs alone, so that a reader can copy it.  A block with prompts (``>>>``) is
a doctest: what it prints must be what the page says, to the letter, up to the last
digits of floating numbers.  A block without prompts must run.
"""

from __future__ import annotations

import ast
import doctest
import math
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import anygrad

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parent.parent
PAGES = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "_build" not in path.parts
]

#: The languages of blocks: those that run, and those that do not.
CODE, TEXT = {"python", "pycon"}, {"sh", "text"}

BLOCK = re.compile(r"^```(?P<language>\S*).*\n(?P<text>(?s:.*?))^```$", re.MULTILINE)
NUMBER = re.compile(r"-?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?")
FLAGS = doctest.ELLIPSIS


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is compiled in a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANYGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
        yield


class Block(NamedTuple):
    """A fenced block of a page; `line` is the number of its first line, from 0."""

    language: str
    text: str
    line: int


def blocks(path: Path) -> Iterator[Block]:
    page = path.read_text(encoding="utf-8")
    for match in BLOCK.finditer(page):
        line = page.count("\n", 0, match.start("text"))
        yield Block(match["language"], match["text"], line)


class Checker(doctest.OutputChecker):
    """Forgive floating numbers their last digits, which differ between machines."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        a, b = NUMBER.findall(want), NUMBER.findall(got)
        if a == b or len(a) != len(b) or not all(map(almost_equal, a, b)):
            return False
        # Other digits may take other places.
        want, got = NUMBER.sub("0.", want), NUMBER.sub("0.", got)
        return "".join(want.split()) == "".join(got.split())


def almost_equal(a: str, b: str) -> bool:
    return math.isclose(float(a), float(b), rel_tol=1e-5, abs_tol=1e-12)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_code_blocks_run(path: Path) -> None:
    runner = doctest.DocTestRunner(Checker(), optionflags=FLAGS)
    for block in blocks(path):
        if block.language not in CODE:
            continue
        names: dict[str, object] = {"__name__": "__main__"}
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(
                block.text, names, name(path), str(path), block.line
            )
            said: list[str] = []
            runner.run(test, out=said.append, clear_globs=False)
            assert not said, "".join(said)
        else:
            exec(compile("\n" * block.line + block.text, path, "exec"), names)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_block_has_a_language(path: Path) -> None:
    """Else it would not be run, and nobody would notice."""
    for block in blocks(path):
        if not block.language.startswith("{"):  # a directive
            assert block.language in CODE | TEXT, block
        assert (">>>" in block.text) == (block.language == "pycon"), block


def test_commands_of_the_readme() -> None:
    """There are two, and the second is the gate."""
    draw, check = (
        block.text.strip()
        for block in blocks(ROOT / "README.md")
        if block.language == "sh"
    )
    assert draw == (
        'python3 -m venv .venv && .venv/bin/pip install ".[example]" && '
        ".venv/bin/python examples/terrain.py"
    )
    assert check in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert check in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_nothing_installs_the_other_anygrad() -> None:
    """The name on the public index is another project's."""
    for path in (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"install\s+(-\S+\s+)*[\"']?anygrad", text), path


def test_readme_names_every_library() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for library in anygrad._libraries.TABLE:
        cls = library.family[0]
        names = f"{library.package}.{cls}", f"{library.namespace}.{cls}"
        assert any(f"| `{name}` |" in table for name in (*names, *library.classes))


def test_readme_and_the_guide_name_the_same_extras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The guide's table is made from `pyproject.toml`."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    table = runpy.run_path(str(ROOT / "docs" / "conf.py"))["libraries"]()
    of_guide = re.findall(r"^\| `[\w-]+` \| .*? \| (.*?) \|", table, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## ")
    (rows,) = (part for part in readme if part.startswith("Array libraries"))
    of_readme = re.findall(r"^\| .*? \| `.*?` \| (.*?) \|", rows, re.MULTILINE)
    assert [cell.split("<br>") for cell in of_guide] == [
        cell.split(", ") for cell in of_readme
    ]


def test_api_page_has_every_public_name() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for public in anygrad.__all__:
        assert re.search(rf"^   {public}$|`anygrad\.{public}`", page, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    """Sphinx checks the links of the documentation, but nobody those of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text):
        assert (ROOT / target).exists(), target


def test_contributing_has_every_session() -> None:
    """In its table, with the options in brackets of those that have some."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `nox -s \"?(\w+)", page, re.MULTILINE))
    told |= set(re.findall(r"by `nox -s \"(\w+)", page))
    assert told == set(sessions())


def sessions() -> Iterator[str]:
    """Return the names of nox's sessions, which is not installed here."""
    for file in (ROOT / "nox_sessions").glob("*.py"):
        for function in ast.parse(file.read_text(encoding="utf-8")).body:
            for mark in getattr(function, "decorator_list", ()):
                if ast.unparse(mark).startswith("nox.session"):
                    named = [
                        k.value
                        for k in getattr(mark, "keywords", ())
                        if k.arg == "name"
                    ]
                    yield ast.literal_eval(named[0]) if named else function.name
