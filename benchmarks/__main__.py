"""`python -m benchmarks`: measure and print; `--write` also writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import measures, pooling, projects, report
from benchmarks.measures import Bench
from benchmarks.pooling import PoolingFailedError
from benchmarks.processes import REPOSITORY, CommandFailedError

PAGE = REPOSITORY / "docs" / "benchmarks.md"
PARTS = ("ratio", "growth", "stacks", "targets", "pooling")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often compared runs alternate (default 3)")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="measure this part alone; may be repeated"
    )
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md; needs all parts")
    given = parser.parse_args(arguments)
    parts: set[str] = {*(given.only or PARTS)}
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    if given.write and parts != set(PARTS):
        parser.error("--write: the page needs all parts; leave out --only")
    try:
        with tempfile.TemporaryDirectory(prefix="parking-benchmarks-") as folder:
            results = _measure(Bench(folder=Path(folder), rounds=given.rounds, say=_say), parts)
    except (CommandFailedError, PoolingFailedError) as error:
        _say(f"error: {error}")
        return 1
    page = report.render(results)
    print(page, end="")
    if given.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


def _measure(bench: Bench, parts: set[str]) -> report.Results:
    costs = measures.stacks(bench) if "stacks" in parts else []
    ratio = None
    if "ratio" in parts:
        if not costs:
            bench.pulumi("up", "--yes", "--stack", projects.STACK, home="home-applied")
        ratio = measures.ratio(bench, export=bench.export(projects.STACK, home="home-applied"))
    return report.Results(
        ratio=ratio,
        growth=measures.growth(bench) if "growth" in parts else None,
        stacks=costs,
        targets=measures.targets(bench) if "targets" in parts else [],
        pooling=pooling.compare(rounds=bench.rounds, say=bench.say) if "pooling" in parts else [],
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
