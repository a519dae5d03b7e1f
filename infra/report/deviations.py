"""The tables of docs/deviations.md as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = "docs/deviations.md"
_CELL = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A number of the specification that is built otherwise: in which part, what was asked, what is built, why."""

    part: str
    asked: str
    built: str
    why: str


def deviations(root: Path) -> tuple[Deviation, ...]:
    """Every row, in the page's order; links are their text.

    Args:
        root: Folder of the repository.
    """
    found: list[Deviation] = []
    part = ""
    for line in (root / PAGE).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            part = line[3:].strip()
        if not line.startswith("|"):
            continue
        cells = [_LINK.sub(r"\1", cell.strip()).replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
        if len(cells) == 3 and cells[0] != "asked" and not set(cells[0]) <= {"-", " "}:
            found.append(Deviation(part=part, asked=cells[0], built=cells[1], why=cells[2]))
    return tuple(found)
