"""`python -m infra.capacity --stack NAME` prints what a stack needs and what its settings allow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from infra import settings
from infra.capacity.demand import Stage
from infra.capacity.plan import plan
from infra.capacity.report import render
from infra.catalogue import resolve
from infra.problems import SettingsError
from services import CATALOGUE


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the stack file, without an engine, and print the plan."""
    parser = argparse.ArgumentParser(prog="python -m infra.capacity", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack, as in Pulumi.NAME.yaml")
    parser.add_argument(
        "--stage",
        type=Stage,
        choices=tuple(Stage),
        default=Stage.DESIGN,
        help="which day: today, the season, after the growth, or (design) the season after the growth",
    )
    given = parser.parse_args(arguments)
    try:
        found = settings.from_file(given.stack, catalogue=CATALOGUE)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    services = [resolve(service, found.services[service.name]) for service in CATALOGUE]
    print(render(plan(found, services=services, stage=given.stage), stack=given.stack))
    return 0


if __name__ == "__main__":
    sys.exit(main())
