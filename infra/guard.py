"""Stops a plan that would delete or replace what cannot be made again, or take a cluster where EKS does not go.

`bin/pulumi-local` asks it before every `up` and after every `preview`. On AWS it reads a plan from a file:

    pulumi preview --json --stack prod > plan.json
    python -m infra.guard plan.json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from infra.cluster import upgrade
from infra.stateful import STATEFUL

CLUSTER = "aws:eks/cluster:Cluster"
ALLOWED = "PARKING_ALLOW_REPLACEMENT"
"""Environment variable with the logical names that may go, separated by commas."""

_GOING = frozenset({"delete", "delete-replaced", "replace", "create-replacement", "import-replacement"})
_REPLACING = _GOING - {"delete"}


class PlanError(ValueError):
    """A file that is no plan."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a plan does to one resource.

    Attributes:
        operation: The engine's word, e.g. `replace`.
        urn: Identity of the resource.
        type: Type token.
        reasons: Properties whose change forces a replacement.
        versions: The input `version` before and after, where both are known.
    """

    operation: str
    urn: str
    type: str
    reasons: tuple[str, ...] = ()
    versions: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """Logical name."""
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A stateful resource that a plan would delete or replace."""

    type: str
    name: str
    is_replaced: bool
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        what = "replaced" if self.is_replaced else "deleted"
        if self.reasons:
            cause = f"because of a change of {', '.join(self.reasons)}"
        elif self.is_replaced:
            cause = "because something it is made from is replaced"
        else:
            cause = "because the program no longer has it under this name and parent"
        return f"{self.name} ({self.type}) would be {what}, {cause}; it is {STATEFUL[self.type]}"


def steps_of_preview(document: Mapping[str, Any]) -> Iterator[Step]:
    """The steps of what `pulumi preview --json` printed.

    Raises:
        PlanError: It is something else.
    """
    if not isinstance(document.get("steps"), list):
        raise PlanError("no `steps`: this is not what `pulumi preview --json` prints")
    for step in cast("list[dict[str, Any]]", document["steps"]):
        state: dict[str, Any] = step.get("oldState") or step.get("newState") or {}
        yield Step(
            operation=str(step.get("op")),
            urn=str(step.get("urn")),
            type=str(state.get("type", "")),
            reasons=_reasons(step.get("replaceReasons"), step.get("detailedDiff")),
            versions=_versions(step.get("oldState"), step.get("newState")),
        )


def steps_of_events(lines: Iterable[str]) -> Iterator[Step]:
    """The steps of an event log (`--event-log`), one event a line."""
    for line in lines:
        # Most events are about something else, and decoding them all takes a while.
        if '"resourcePreEvent"' not in line:
            continue
        step = json.loads(line)["resourcePreEvent"]["metadata"]
        yield Step(
            operation=str(step["op"]),
            urn=str(step["urn"]),
            type=str(step["type"]),
            reasons=_reasons(step.get("keys"), step.get("detailedDiff")),
            versions=_versions(step.get("old"), step.get("new")),
        )


def _versions(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[str, str] | None:
    before, after = ((state or {}).get("inputs", {}).get("version") for state in (old, new))
    return (before, after) if isinstance(before, str) and isinstance(after, str) else None


def _reasons(keys: Sequence[str] | None, diff: Mapping[str, Mapping[str, Any]] | None) -> tuple[str, ...]:
    """Properties that force a replacement: their paths where the engine gives them, else their names."""
    kinds = {path: str(each.get("diffKind") or each.get("kind")) for path, each in (diff or {}).items()}
    found = {path for path, kind in kinds.items() if kind.endswith("-replace")}
    return tuple(sorted(found or set(keys or ())))


def losses(steps: Iterable[Step], *, allowed: Iterable[str] = ()) -> list[Loss]:
    """Stateful resources that a plan would delete or replace, by name.

    Args:
        steps: The plan.
        allowed: Logical names that may go.
    """
    may_go = set(allowed)
    by_urn: dict[str, list[Step]] = {}
    for step in steps:
        if step.operation in _GOING and step.type in STATEFUL and step.name not in may_go:
            by_urn.setdefault(step.urn, []).append(step)
    return [
        Loss(
            type=found[0].type,
            name=found[0].name,
            is_replaced=any(step.operation in _REPLACING for step in found),
            reasons=tuple(sorted({reason for step in found for reason in step.reasons})),
        )
        for _, found in sorted(by_urn.items())
    ]


def jumps(steps: Iterable[Step]) -> list[str]:
    """Upgrades of a cluster that EKS does not do, each as a sentence for the reader."""
    found: list[str] = []
    for step in steps:
        if step.type != CLUSTER or step.versions is None or step.operation in _GOING:
            continue
        running, wanted = step.versions
        if why := upgrade.refusal(running=running, wanted=wanted):
            found.append(
                "this plan takes the cluster to a version that EKS does not go to.\n"
                f"  found: {step.name} runs Kubernetes {running}, the plan wants {wanted}\n"
                f"  why: {why}\n"
                "  to do: set parking:cluster.version to the next step; docs/runbooks/kubernetes-upgrade.md"
            )
    return found


def allowed_names(environ: Mapping[str, str]) -> list[str]:
    """Logical names that the environment lets go."""
    return [name.strip() for name in environ.get(ALLOWED, "").split(",") if name.strip()]


def explanation(found: Sequence[Loss]) -> str:
    """What is wrong with a plan and how to do it on purpose."""
    names = ",".join(loss.name for loss in found)
    return (
        "this plan loses what cannot be made again.\n"
        + "".join(f"  found: {loss}\n" for loss in found)
        + "  allowed: changes that keep stores, keys, zones and the cluster\n"
        "  to do: undo the change; after a rename or a move, give the resource an alias of its old name or parent;\n"
        f"         if it is meant, and what it holds is saved: {ALLOWED}={names}"
    )


def problems(steps: Sequence[Step], *, allowed: Iterable[str]) -> list[str]:
    """Everything that speaks against a plan, each worded for the reader."""
    lost = losses(steps, allowed=allowed)
    return [*([explanation(lost)] if lost else []), *jumps(steps)]


def main(args: Sequence[str]) -> int:
    """Judge a plan in a file.

    Returns:
        0 when nothing is lost, 1 when something is, 2 when the file is no plan.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.guard", description="Judge a plan.")
    parser.add_argument("plan", type=Path, help="what `pulumi preview --json` printed")
    parser.add_argument("--allow", action="append", default=[], metavar="NAME", help="a resource that may go")
    options = parser.parse_args(args)
    try:
        steps = list(steps_of_preview(_json(options.plan)))
    except (OSError, PlanError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        print(f"error: {options.plan}: {reason}", file=sys.stderr)
        return 2
    found = problems(steps, allowed=[*options.allow, *allowed_names(os.environ)])
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    if found:
        return 1
    print(f"{len(steps)} steps, none of which deletes or replaces a store")
    return 0


def _json(path: Path) -> Mapping[str, Any]:
    try:
        document: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PlanError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise PlanError("not a JSON object")
    return cast("Mapping[str, Any]", document)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
