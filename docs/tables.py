"""Tables that a script writes into a page, between two marks."""

import sys


def table(header, rows):
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rewrite(page, tables):
    """Write the tables, or only compare them with ``--check``; return 1 if they differ.

    `tables` leads from the name in the marks to the function that makes the table.
    """
    written = made = page.read_text(encoding="utf-8")
    for name, make in tables.items():
        begin, end = f"<!-- begin of {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = made.partition(begin)
        _, _, after = rest.partition(end)
        made = f"{before}{begin}\n{make()}\n{end}{after}"
    if "--check" in sys.argv[1:]:
        return int(made != written)
    page.write_text(made, encoding="utf-8")
    return 0
