"""`python -m infra.local.tools [NAME...]` builds the tools that are missing; without a name, all of them."""

from __future__ import annotations

import argparse
import sys

from infra.local.errors import LocalError, interrupt_on_signals
from infra.local.tools import jars
from infra.local.tools.building import obtain, seconds_taken
from infra.local.tools.catalogue import TOOLS


def main(arguments: list[str] | None = None) -> int:
    """Build tools and say where they are."""
    listed = "\n".join(
        f"  {tool.name:<11} {', '.join(tool.programs)}: {tool.about}" for tool in TOOLS.values()
    )
    listed += f"\n  {jars.KAFKA:<11} jars, by Maven: the brokers of tests"
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.tools",
        description=__doc__,
        epilog=f"tools:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a tool, or one of its programs")
    names: list[str] = parser.parse_args(arguments).names
    interrupt_on_signals()
    try:
        for name in names or (*TOOLS, jars.KAFKA):
            if name == jars.KAFKA:
                print(f"{jars.KAFKA} {jars.version()}\n  {'jars':<24} {jars.obtain()}")
                continue
            programs = obtain(name)
            tool = next(tool for tool in TOOLS.values() if set(tool.programs) == set(programs))
            seconds = seconds_taken(tool) or 0
            print(f"{tool.name} {tool.version} (built in {seconds // 60}:{seconds % 60:02d})")
            for program, path in programs.items():
                print(f"  {program:<24} {path}")
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
