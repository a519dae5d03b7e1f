"""`python -m infra.report --stack prod`: one page about a stack; `--base main`: what a change does to every stack."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra import stack_files
from infra.diagram.graph import read
from infra.docs.plans import REPOSITORY, PlanError, documents, plan_all
from infra.local.home import Home
from infra.problems import SettingsError
from infra.report import changes, differences, page
from infra.report.differences import BaseError, Side
from infra.report.facts import Facts, facts
from services import CATALOGUE


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, print the facts, or compare; every error in words."""
    parser = argparse.ArgumentParser(prog="python -m infra.report", description=__doc__)
    parser.add_argument("--stack", action="append", default=[], help="the stack; with --base repeat for more")
    parser.add_argument("--base", help="git reference to compare the working copy with, as Markdown")
    parser.add_argument(
        "--json", action="store_true", help="print the facts as JSON instead of writing the page"
    )
    parser.add_argument("--no-plan", action="store_true", help="with --json: only what follows from settings")
    parser.add_argument(
        "--out", type=Path, help="where the page goes (default: in the local platform's folder)"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.stack) - set(stack_files.names()))
    if unknown or not (given.stack or given.base):
        print(
            f"error: {'no stack named ' + ', '.join(unknown) if unknown else 'which stack?'}\n"
            f"  there are: {', '.join(stack_files.names())}\n"
            "  to do: name one, as in: make report STACK=prod",
            file=sys.stderr,
        )
        return 2
    try:
        if given.base:
            print(_compared(given.base, given.stack), end="")
        elif given.json and given.no_plan:
            print(json.dumps(facts(given.stack[0], catalogue=CATALOGUE, root=REPOSITORY), indent=1))
        else:
            _reported(given.stack[0], as_json=given.json, out=given.out)
    except (PlanError, BaseError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _reported(stack: str, *, as_json: bool, out: Path | None) -> None:
    graph = plan_all(only=[stack])[stack]
    found = facts(stack, catalogue=CATALOGUE, root=REPOSITORY, graph=graph)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    folder = Home.locate(environ=os.environ, cwd=Path.cwd()).root / "reports"
    path = out or folder / f"{stack}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.render(found, graph=graph), encoding="utf-8")
    print(path)


def _compared(base: str, only: Sequence[str]) -> str:
    with differences.tree_at(base, root=REPOSITORY) as tree:
        stacks = [stack for stack in stack_files.names(tree) if not only or stack in only]
        try:
            planned = documents(tree, only=stacks, previews=True) if stacks else {}
        except PlanError as error:
            raise BaseError(
                f"{base!r} cannot be planned with the packages of this working copy.\n  found:  {error}\n"
                "  needed: a commit whose program runs here\n"
                "  to do:  compare with a newer one: make report BASE=main"
            ) from error
        before = {
            stack: _side(plan, differences.facts_at(stack, tree=tree, catalogue=CATALOGUE))
            for stack, plan in planned.items()
        }
    after = {
        stack: _side(plan, facts(stack, catalogue=CATALOGUE, root=REPOSITORY, graph=read(plan)))
        for stack, plan in documents(REPOSITORY, only=only, previews=True).items()
    }
    return differences.compare(before, after, base=base)


def _side(plan: dict[str, Any], found: Facts | None) -> Side:
    return Side(graph=read(plan), properties=changes.properties(plan), facts=found)


if __name__ == "__main__":
    sys.exit(main())
