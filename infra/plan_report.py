"""What a change does to every stack's plan, as Markdown: `python -m infra.plan_report --base main`.

Both versions are planned on this machine, with stand-ins. Properties are named, values are not: one could be secret.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from infra.docs.markdown import table
from infra.docs.plans import REPOSITORY, PlanError, documents

LONGEST = 60
"""Rows shown of each stack; more are counted only."""

Properties = Mapping[str, Mapping[str, Any]]
"""Inputs of every resource, by what it is called."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change does to one resource: `added`, `removed`, or the properties that differ."""

    name: str
    what: str


def properties(document: Mapping[str, Any]) -> Properties:
    """Inputs of every resource of a plan or an export."""
    if "deployment" in document:
        entries: list[dict[str, Any]] = document["deployment"].get("resources", [])
    else:
        entries = [step["newState"] for step in document.get("steps", ()) if step.get("newState")]
    return {
        f"{entry['type']} {str(entry['urn']).rpartition('::')[2]}": entry.get("inputs", {})
        for entry in entries
        if not str(entry["type"]).startswith("pulumi:")
    }


def differences(before: Properties, after: Properties) -> Iterator[Change]:
    """What differs, by name of the resource."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield Change(name=name, what="added")
        elif name not in after:
            yield Change(name=name, what="**removed**")
        else:
            old, new = before[name], after[name]
            keys = sorted(
                key for key in {*old, *new} - {"__defaults"} if _told(old.get(key)) != _told(new.get(key))
            )
            if keys:
                yield Change(name=name, what=", ".join(f"`{key}`" for key in keys))


_SIGNATURE = "4dabf18193072939515e22adb298388d"


def _told(value: Any) -> Any:
    """A value without what differs at every run: secrets, which are drawn or encrypted anew."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return "secret" if _SIGNATURE in mapping else {key: _told(each) for key, each in mapping.items()}
    return [_told(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def report(before: Mapping[str, Properties], after: Mapping[str, Properties]) -> str:
    """The report on all stacks.

    Args:
        before: Resources of the base, by stack.
        after: Resources of the change, by stack.
    """
    parts = [
        "## Plan of every stack",
        "Planned offline with stand-ins; resources of new stacks are all added.",
    ]
    for stack in sorted({*before, *after}):
        old, new = before.get(stack, {}), after.get(stack, {})
        found = list(differences(old, new))
        parts.append(f"### `{stack}`: {len(old)} resources before, {len(new)} after, {len(found)} differ")
        if found:
            parts.append(table(["resource", "change"], [[f"`{c.name}`", c.what] for c in found[:LONGEST]]))
        if len(found) > LONGEST:
            parts.append(f"and {len(found) - LONGEST} more")
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Plan both versions and write the report."""
    parser = argparse.ArgumentParser(prog="python -m infra.plan_report", description="Compare plans.")
    parser.add_argument("--base", required=True, help="commit to compare the working copy with")
    parser.add_argument("--output", type=Path, required=True, help="file for the report")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="parking-base-") as folder:
        base = Path(folder) / "program"
        archive = subprocess.run(  # noqa: S603 - a commit of our own repository, no shell
            ["git", "archive", "--end-of-options", str(given.base)],  # noqa: S607 - git is found as usual
            cwd=REPOSITORY,
            capture_output=True,
            check=False,
        )
        if archive.returncode != 0:
            print(
                f"error: no such commit: {archive.stderr.decode(errors='replace').strip()}", file=sys.stderr
            )
            return 2
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
            packed.extractall(base, filter="data")
        try:
            before = {stack: properties(found) for stack, found in documents(base).items()}
            after = {stack: properties(found) for stack, found in documents(REPOSITORY).items()}
        except PlanError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    given.output.write_text(report(before, after), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
