"""Print a stack's recovery objectives: `python -m infra.recovery_report STACK`."""

from __future__ import annotations

import argparse
import sys

from infra import recovery, settings
from infra.problems import SettingsError
from services import CATALOGUE


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 when an objective is missed and not accepted."""
    parser = argparse.ArgumentParser(prog="python -m infra.recovery_report", description=__doc__)
    parser.add_argument("stack", help="name of the stack, as in Pulumi.<stack>.yaml")
    try:
        read = settings.from_file(parser.parse_args(arguments).stack, catalogue=CATALOGUE)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(recovery.table(read) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
