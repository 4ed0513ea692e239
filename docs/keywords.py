"""Parameters, results and errors in the docstrings of the public functions.

``python docs/keywords.py`` writes them from `keywords.toml`, where every sentence
stands once, into the sources of the installed package; with ``--check``, it only names
the functions whose docstring says something else.
"""

import ast
import inspect
import re
import sys
import textwrap
import tomllib
from pathlib import Path

import anygrad

TABLE = tomllib.loads(
    (Path(__file__).parent / "keywords.toml").read_text(encoding="utf-8")
)

#: The functions that the table is about: those with an entry in it.
DOORS = tuple(dict.fromkeys(name for row in TABLE["result"] for name in row["of"]))

#: In the order of the section "Raises".
ERRORS = ("TypeError", "ValueError", "IndexError")

#: The columns of a docstring, beside its own indentation: a terminal shows 80 in all.
WIDTH, INDENT = 75, "    "

#: What is not broken in two: code is one word, with what touches it.
WORD = re.compile(r"(?:``.+?``|\S)+")


def row_of(door, kind, name=None):
    """Return the one entry of the table for a function, and for its parameter."""
    (row,) = (
        row for row in TABLE[kind] if door in row["of"] and row.get("name") == name
    )
    return row


def spelled(text):
    """Return a text with its phrases in the place of their names in braces."""
    while "{" in text:
        phrases = {name: phrase.strip() for name, phrase in TABLE["phrases"].items()}
        text = text.format_map(phrases)
    return text.strip()


def filled(text, first="", rest=""):
    """Return one paragraph in lines of the docstring's width.

    Two blanks follow a sentence, which ends a line of the table.
    """
    lines, words = [first], []
    for line in text.splitlines():
        words += WORD.findall(line)
        words[-1] += " " if line.rstrip().endswith(".") else ""
    for word in words:
        joint = "" if lines[-1] in (first, rest) else " "
        if len((lines[-1] + joint + word).rstrip()) > WIDTH:
            lines.append(rest + word)
        else:
            lines[-1] += joint + word
    return [line.rstrip() for line in lines]


def described(text):
    """Return the lines of paragraphs and lists, indented."""
    lines = []
    for part in spelled(text).split("\n\n"):
        lines += [""] if lines else []
        if part.startswith("- "):
            for item in part[2:].split("\n- "):
                lines += filled(item, f"{INDENT}- ", f"{INDENT}  ")
        else:
            lines += filled(part, INDENT, INDENT)
    return lines


def title(text):
    """Return the head of a section."""
    return [text, "-" * len(text)]


def sections(door):
    """Return the sections from "Parameters" to "Raises", as they are to be."""
    names = inspect.signature(getattr(anygrad, door)).parameters
    rows = [row_of(door, "parameter", name) for name in names]
    lines = title("Parameters")
    for name, row in zip(names, rows, strict=True):
        lines += [f"{name} : {row['type']}", *described(row["text"])]
    result = row_of(door, "result")
    lines += ["", *title("Returns"), result["type"], *described(result["text"])]
    lines += ["", *title("Raises")]
    for error in ERRORS:
        told = [f"If {spelled(row[error])}" for row in rows if error in row]
        if told:
            lines += [error, *described("".join(f"- {item}.\n" for item in told))]
    return "\n".join(lines) + "\n"


def found(docstring):
    """Return the same sections as a docstring has them."""
    _, begin, rest = inspect.cleandoc(docstring).partition("Parameters\n---")
    return begin + rest.partition("\nSee Also\n---")[0]


def rewrite(door):
    """Write the sections into the source of a function."""
    path = Path(inspect.getsourcefile(getattr(anygrad, door)))
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    *_, function = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == door
    )
    begin = lines.index(f"{INDENT}Parameters\n", function.lineno)
    end = lines.index(f"{INDENT}See Also\n", begin)
    lines[begin:end] = [textwrap.indent(sections(door), INDENT), "\n"]
    path.write_text("".join(lines), encoding="utf-8")


def main():
    """Write all docstrings, or compare them; return what there is to say."""
    differ = [
        door
        for door in DOORS
        if found(getattr(anygrad, door).__doc__) != sections(door)
    ]
    if "--check" in sys.argv[1:]:
        told = f"other docstrings than in docs/keywords.toml: {', '.join(differ)}"
        return told if differ else 0
    for door in differ:
        rewrite(door)
    return 0


if __name__ == "__main__":
    sys.exit(main())
