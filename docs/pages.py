"""Look through the built pages for what a reader without a network would miss.

``python docs/pages.py docs/_build/html`` prints every fault that it finds: pictures
that do not exist or say nothing to who cannot see them, formulas that are not MathML,
raw TeX, links that lead nowhere, and anything loaded from another machine.
`look.py` shows the same pages to a browser.
"""

import functools
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

#: What loads a file when a page is opened, and the attribute that names it.
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "source": "src",
    "iframe": "src",
}
#: Commands, displays and inline delimiters of TeX.
TEX = re.compile(r"\$\$|\\\(|\\\[|\\(?:frac|partial|sqrt|left|right|dots|quad|delta)\b")


def built(folder):
    """Return the pages of a folder."""
    return sorted(
        path for path in folder.rglob("*.html") if "_static" not in path.parts
    )


def faults(page):
    """Yield a sentence for each fault of a page."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    yield from faults_of_files(page, soup)
    yield from faults_of_formulas(soup)
    yield from faults_of_links(page, soup)
    for image in soup.find_all("img"):
        # Nothing at all is for what only adorns a link; Sphinx writes a path for None.
        if image.get("alt") is None or image["alt"].endswith((".png", ".gif", ".svg")):
            yield f"a picture says nothing to who cannot see it: {image.get('src')}"


def faults_of_files(page, soup):
    """Yield what the page loads from elsewhere, or in vain."""
    for tag, attribute in LOADED.items():
        for element in soup.find_all(tag):
            url = urlsplit(element.get(attribute, ""))
            if (
                url.scheme == "data"
                or not url.geturl()
                or "canonical" in element.get("rel", [])
            ):
                continue
            if url.netloc:
                yield f"loads {url.geturl()}"
            elif not (page.parent / unquote(url.path)).is_file():
                yield f"there is no {url.geturl()}"


def faults_of_formulas(soup):
    """Yield formulas that no browser draws."""
    for formula in soup.select(".math"):
        if formula.find("math") is None:
            yield f"a formula is not MathML: {formula.get_text()}"
    for listing in soup.select("pre, code, script, style"):
        listing.decompose()
    for found in TEX.finditer(soup.get_text()):
        yield f"raw TeX: {found.string[found.start() : found.start() + 40]!r}"


def faults_of_links(page, soup):
    """Yield links to pages, or to places in them, that were not built."""
    for link in soup.find_all("a", href=True):
        url = urlsplit(link["href"])
        if url.scheme or url.netloc:
            continue
        target = page.parent / unquote(url.path) if url.path else page
        place = unquote(url.fragment)
        of_pages = target.suffix == ".html" and target.is_file()
        if not target.exists() or (place and of_pages and place not in places(target)):
            yield f"a link leads nowhere: {link['href']}"


@functools.cache
def places(page):
    """Return the names of the places in a page that links can lead to."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    return {element["id"] for element in soup.find_all(id=True)}


def main(argv=None):
    """Print the faults of all pages; return 1 if there are any.

    Parameters
    ----------
    argv : list of str, optional
        The folder of the pages; the arguments of the process by default.

    Returns
    -------
    int
        The exit status.
    """
    (folder,) = map(Path, sys.argv[1:] if argv is None else argv)
    pages = built(folder)
    found = [
        f"{page.relative_to(folder)}: {fault}"
        for page in pages
        for fault in faults(page)
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"{len(pages)} pages, {len(found)} faults\n")
    return int(bool(found) or not pages)


if __name__ == "__main__":
    sys.exit(main())
