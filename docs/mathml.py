"""A Sphinx extension: formulas as MathML, which browsers draw without a network.

latex2mathml translates them when the pages are built, so that no script is loaded.
"""

import html

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError


def translated(tex, display):
    """Return the MathML of a formula, or raise if any of it is not understood."""
    try:
        found = convert(tex, display=display)
    except Exception as error:
        msg = f"cannot translate the formula {tex!r}"
        raise ExtensionError(msg) from error
    if "\\" in html.unescape(found):  # a command that it does not know stays as it is
        msg = f"cannot translate all of the formula {tex!r}: {found}"
        raise ExtensionError(msg)
    return found


def write_inline(writer, node):
    """Write a formula within a line, and not the text of its node."""
    formula = translated(node.astext(), "inline")
    writer.body.append(f'<span class="math">{formula}</span>')
    raise SkipNode


def write_block(writer, node):
    """Write a formula on lines of its own, and not the text of its node."""
    formula = translated(node.astext(), "block")
    writer.body.append(f'<div class="math">{formula}</div>\n')
    raise SkipNode


def setup(app):
    """Register the renderer, which `html_math_renderer` in `conf.py` chooses."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(write_inline, None),
        block_renderers=(write_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
