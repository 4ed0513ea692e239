"""Tables that a script writes into a page, between two marks."""

import sys
from itertools import zip_longest


def table(header, rows):
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rewrite(page, tables, bounds=None):
    """Write the tables, or only compare them with ``--check``; return 1 if they differ.

    What follows ``--check`` are the first cells of the rows to compare, if not all.
    `tables` leads from the name in the marks to the function that makes the table.
    `bounds` says for columns of numbers by how much they may differ: what others
    compute in floating numbers is not the same on every processor.
    """
    made = page.read_text(encoding="utf-8")
    differences = []
    for name, make in tables.items():
        begin, end = f"<!-- begin of {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = made.partition(begin)
        written, _, after = rest.partition(end)
        new = make()
        differences += compared(*map(rows_of, (written, new)), bounds or {})
        made = f"{before}{begin}\n{new}\n{end}{after}"
    if "--check" in sys.argv[1:]:
        sys.stdout.writelines(differences)
        return int(bool(differences))
    page.write_text(made, encoding="utf-8")
    return 0


def chosen():
    """Return the first cells of the rows that the command line names."""
    return [word for word in sys.argv[1:] if word != "--check"]


def rows_of(text):
    """Return the rows of a table, those that the command line names or all."""
    header, _, *rows = text.strip().splitlines()
    return [header, *(row for row in rows if cells(row)[0] in (chosen() or cells(row)))]


def compared(written, made, bounds):
    """Yield what to print of each row that is not the same, in both versions."""
    names = cells(made[0])
    for old, new in zip_longest(written, made, fillvalue=""):
        pairs = zip_longest(cells(old), cells(new), names, fillvalue="")
        if not all(alike(a, b, bounds.get(name, 0)) for a, b, name in pairs):
            yield f"on the page: {old}\nmeasured:    {new}\n"


def cells(row):
    """Return the cells of a row."""
    return [cell.strip() for cell in row.strip("|").split("|")]


def alike(old, new, bound):
    """Tell whether two cells are equal, or numbers that differ by no more."""
    try:
        return old == new or bool(bound and abs(float(old) - float(new)) <= bound)
    except ValueError:
        return False
