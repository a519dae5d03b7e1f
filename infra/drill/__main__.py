"""`python -m infra.drill FOLDER` keeps what a drill's tests left in a folder as docs/drill.json, and sums it up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra import settings, stack_files
from infra.drill.measured import DrillError, gather, written
from infra.drill.timeline import tracks
from services import CATALOGUE

STACK = "prod"
"""The stack whose objectives a drill is held against."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Gather, write and say how each recovery stands; 1 when one is over and not accepted, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m infra.drill", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that the tests wrote to")
    parser.add_argument(
        "--to", type=Path, default=stack_files.ROOT / "docs" / "drill.json", help="file to write"
    )
    given = parser.parse_args(arguments)
    try:
        measured = gather(given.folder)
    except DrillError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    given.to.write_text(written(measured), encoding="utf-8")
    found = tracks(settings.from_file(STACK, catalogue=CATALOGUE, root=stack_files.ROOT), measured)
    for track in found:
        print(f"{track.name}: {track.seconds:.1f} s of {track.objective_seconds:g} s, {track.verdict}")
    print(f"written: {given.to}; `make docs` draws it")
    return 1 if any(track.verdict == "over" for track in found) else 0


if __name__ == "__main__":
    sys.exit(main())
