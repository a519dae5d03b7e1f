"""`python -m infra.docs` writes the generated documentation; `--check` only says what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from infra.docs import pages
from infra.docs.plans import REPOSITORY, PlanError, plan_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check, and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m infra.docs", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 when a file is stale"
    )
    parser.add_argument("--no-engine", action="store_true", help="only what needs no plan of a stack")
    given = parser.parse_args(arguments)
    generated = pages.from_models()
    if not given.no_engine:
        try:
            generated |= pages.from_plans(plan_all())
        except PlanError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    changed = pages.stale(generated)
    for path in changed:
        if not given.check:
            (REPOSITORY / path).write_text(generated[path], encoding="utf-8")
        print(f"{'stale' if given.check else 'written'}: {path}")
    if not changed:
        print("all generated documentation is up to date")
    return 1 if changed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
