"""Show every built page to a browser, and say what does not look right.

``python docs/look.py docs/_build/html`` opens each page in the Chromium or Chrome that
it finds, wide and narrow, light and dark, and prints what scrolls sideways, which
pictures are missing, which formulas are not drawn and what is loaded from elsewhere.
With ``--pictures FOLDER``, it leaves a picture of each there.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from pages import TEX, built
from playwright.sync_api import sync_playwright

#: Names that browsers have on various systems; `CHROME_BIN` has the first word.
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
#: Widths in pixels: a small laptop, a telephone.
WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")

#: Returns what is wrong with the page that is open; tables must fit a laptop.
FAULTS = """
([wide, tex]) => {
  const found = [], root = document.documentElement;
  if (root.scrollWidth > root.clientWidth)
    found.push(`scrolls sideways: ${root.scrollWidth} px in ${root.clientWidth}`);
  const boxes = wide ? ".table-wrapper, div.math" : "none";
  for (const box of document.querySelectorAll(boxes))
    if (box.scrollWidth > box.clientWidth)
      found.push(`${box.classList[0]} scrolls sideways: ${box.scrollWidth} px in `
        + `${box.clientWidth}: ${box.innerText.replace(/\\s+/g, " ").slice(0, 40)}`);
  for (const image of document.images)
    if (image.getClientRects().length && !(image.complete && image.naturalWidth))
      found.push(`a picture is missing: ${image.src}`);
  for (const formula of document.querySelectorAll(".math")) {
    const drawn = formula.querySelector("math")?.getBoundingClientRect();
    if (!(drawn?.width && drawn?.height))
      found.push(`a formula is not drawn: ${formula.textContent}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.parentElement.closest("pre, code, script, style, noscript")
        && new RegExp(tex).test(text.data))
      found.push(`raw TeX: ${text.data.slice(0, 40)}`);
  }
  return found;
}
"""


def browser_command():
    """Return the path of a browser, or None."""
    named = os.environ.get("CHROME_BIN", "")
    return next(filter(None, map(shutil.which, (named, *NAMES))), None)


def faults(page, path, width, elsewhere):
    """Open a page and return what is wrong with it."""
    elsewhere.clear()
    page.goto(path.resolve().as_uri())
    # Pictures below the fold load when they are reached.
    page.evaluate("for (const i of document.images) i.loading = 'eager'")
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    wide = width == max(WIDTHS)
    return page.evaluate(FAULTS, [wide, TEX.pattern]) + [
        f"loads {u}" for u in elsewhere
    ]


def look(browser, folder, pictures):
    """Yield a sentence for each fault of the pages of a folder."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.new_page(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            elsewhere = []
            page.on(
                "request",
                lambda r, e=elsewhere: r.url.startswith("http") and e.append(r.url),
            )
            for path in built(folder):
                name = path.relative_to(folder)
                for fault in faults(page, path, width, elsewhere):
                    yield f"{name} at {width} px, {scheme}: {fault}"
                if pictures:
                    file = pictures / f"{width}-{scheme}" / name.with_suffix(".png")
                    page.screenshot(path=file, full_page=True)
            page.close()


def main(argv=None):
    """Print the faults of all pages; return 1 if there are any, 2 without a browser.

    Parameters
    ----------
    argv : list of str, optional
        Command-line arguments; those of the process by default.

    Returns
    -------
    int
        The exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the pages were built")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    options = parser.parse_args(argv)
    command = browser_command()
    if command is None:
        sys.stderr.write(
            "look: no browser. Install Chromium (Debian, Ubuntu: apt-get install "
            "chromium) or name one in the variable CHROME_BIN.\n"
        )
        return 2
    # Chromium refuses its sandbox to root; the pages are our own.
    root = hasattr(os, "getuid") and os.getuid() == 0
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=command, chromium_sandbox=not root
        )
        found = list(look(browser, options.folder, options.pictures))
        browser.close()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    pages = len(built(options.folder))
    sys.stdout.write(f"{pages} pages in {command}, {len(found)} faults\n")
    return int(bool(found) or not pages)


if __name__ == "__main__":
    sys.exit(main())
