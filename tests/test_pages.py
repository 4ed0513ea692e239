"""What looks through the pages of the documentation finds what is wrong with one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.peers  # they have what it needs, BeautifulSoup

ROOT = Path(__file__).parent.parent

RIGHT = """
<link rel="stylesheet" href="style.css">
<p>A slope of <span class="math"><math><mi>f</mi></math></span>,
<code>$$ and \\frac in code</code>, <a href="other.html#part">there</a>,
<a href="https://example.org">elsewhere</a>.</p>
<img src="slope.png" alt="A slope">
"""


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("pages")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("style.css", "other.html", "slope.png"):
        (tmp_path / name).write_text('<p id="part">', encoding="utf-8")
    return tmp_path


def test_a_page_that_is_right(
    pages: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "page.html").write_text(RIGHT, encoding="utf-8")
    assert pages.main([str(folder)]) == 0
    assert capsys.readouterr().out == "2 pages, 0 faults\n"


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("<math><mi>f</mi></math>", "f'", "a formula is not MathML: f'"),
        ("A slope of", r"A slope \(f\) of", "raw TeX: "),
        ("A slope of", r"A slope \frac{1}{2} of", "raw TeX: "),
        ("A slope of", "A slope $$f$$ of", "raw TeX: "),
        ("slope.png", "none.png", "there is no none.png"),
        ("style.css", "none.css", "there is no none.css"),
        ("style.css", "https://example.org/a.css", "loads https://example.org/a.css"),
        ("slope.png", "//example.org/a.png", "loads //example.org/a.png"),
        ('alt="A slope"', "", "a picture says nothing"),
        ('alt="A slope"', 'alt="slope.png"', "a picture says nothing"),
        ("other.html", "none.html", "a link leads nowhere: none.html#part"),
        ("#part", "#none", "a link leads nowhere: other.html#none"),
    ],
)
def test_a_fault(
    pages: Any,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    right: str,
    wrong: str,
    fault: str,
) -> None:
    assert right in RIGHT
    page = RIGHT.replace(right, wrong)
    (folder / "page.html").write_text(page, encoding="utf-8")
    assert pages.main([str(folder)]) == 1
    assert f"page.html: {fault}" in capsys.readouterr().out


def test_no_pages(pages: Any, tmp_path: Path) -> None:
    """Nothing was looked at, so nothing was found to be right."""
    assert pages.main([str(tmp_path)]) == 1
