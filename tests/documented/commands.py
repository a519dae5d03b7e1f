"""Commands that Markdown pages tell their readers to type."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    ".ci/run",
    ".venv/bin/python -m",
    "aws",
    "bin/pulumi-local",
    "helm",
    "istioctl",
    "kubectl",
    "make",
    "pg_dump",
    "psql",
    "pulumi",
    "python -m",
)
"""How a command begins, in code within a sentence; a fenced block of a shell holds nothing else."""
_FENCE = re.compile(r"^([ ]*)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SHELLS = frozenset({"sh", "bash", "shell", "console"})
_SPAN = re.compile(r"`([^`\n]+)`")
# A program alone, or a file of that name, is no command.
_INLINE = re.compile(rf"(?:{'|'.join(map(re.escape, PROGRAMS))}) \S.*")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a page.

    Attributes:
        page: Its path in the repository.
        text: The command.
        fenced: It stands in a block of a shell, not within a sentence.
    """

    page: str
    text: str
    fenced: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def in_text(text: str, *, page: str) -> Iterator[Command]:
    """Every command of a page's text: lines of shell blocks, joined at backslashes, and code within sentences."""
    for fence in _FENCE.finditer(text):
        if fence[2] in _SHELLS:
            for line in re.sub(r"\\\n\s*", "", fence[3]).splitlines():
                if command := line.partition(" #")[0].strip().removeprefix("$ "):
                    yield Command(page=page, text=command, fenced=True)
    for span in _SPAN.finditer(_FENCE.sub("", text)):
        if _INLINE.fullmatch(span[1]):
            yield Command(page=page, text=span[1])


def of_page(path: Path) -> list[Command]:
    """The commands of a file of the repository."""
    page = str(path.relative_to(ROOT))
    return list(in_text(path.read_text(encoding="utf-8"), page=page))


def pages() -> list[Path]:
    """Every Markdown page of the repository, also those not committed yet."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    shown = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in shown.splitlines() if (ROOT / line).exists()]


def everywhere() -> list[Command]:
    """The commands of all pages, each once a page."""
    return list(dict.fromkeys(command for path in pages() for command in of_page(path)))
