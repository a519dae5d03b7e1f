"""`python -m infra.docs` writes the generated documentation; `--check` only says what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from infra.cost import pieces
from infra.docs import pages
from infra.docs.plans import REPOSITORY, PlanError, plan_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check, and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m infra.docs", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 when a file is stale"
    )
    parser.add_argument("--no-engine", action="store_true", help="only what needs no plan of a stack")
    parser.add_argument(
        "--golden", action="store_true", help="only tests/golden: what every resource is called"
    )
    given = parser.parse_args(arguments)
    changed: list[str] = []
    if not given.no_engine:
        try:
            graphs = plan_all()
            planned = pages.golden(graphs) if given.golden else pages.from_plans(graphs)
            changed += _renew(planned, check=given.check)
        except PlanError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        # The estimates read what was just counted.
        pieces.counted.cache_clear()
    if not given.golden:
        changed += _renew(pages.from_models(), check=given.check)
    if not changed:
        print("all generated documentation is up to date")
    return 1 if changed and given.check else 0


def _renew(generated: Mapping[str, str], *, check: bool) -> list[str]:
    changed = pages.stale(generated)
    for path in changed:
        if not check:
            (REPOSITORY / path).parent.mkdir(parents=True, exist_ok=True)
            (REPOSITORY / path).write_text(generated[path], encoding="utf-8")
        print(f"{'stale' if check else 'written'}: {path}")
    return changed


if __name__ == "__main__":
    sys.exit(main())
