"""Markdown tables, and blocks of a page that are generated while the rest is written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `make docs`; do not edit. -->"


class NoSuchBlockError(ValueError):
    """A page has no place for a generated block."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a pipe in a cell would end it, so it is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def replace_block(page: str, *, name: str, content: str) -> str:
    """The page with what stands between the marks of a block replaced.

    Args:
        page: The page.
        name: Name of the block, as in its mark `<!-- generated: NAME -->`.
        content: What to put there.

    Raises:
        NoSuchBlockError: When the page has no such marks.
    """
    start, end = f"<!-- generated: {name}, by `make docs` -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise NoSuchBlockError(f"the page needs the lines {start!r} and {end!r}")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", page)
