"""What a change does to every stack, as Markdown for a pull request: resources, cost, limits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.diagram.boxes import is_held
from infra.diagram.graph import Graph
from infra.docs.markdown import table
from infra.model.service import Service
from infra.problems import SettingsError
from infra.report import changes
from infra.report.changes import Properties
from infra.report.facts import FORMAT, Facts, facts

_CENTS = 0.5
"""USD a month below which a group counts as unchanged."""


class BaseError(Exception):
    """The git reference to compare with cannot be had; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One stack at one commit.

    Attributes:
        graph: Its plan.
        properties: Inputs of every resource.
        facts: What is reckoned of it; None where its settings cannot be read with this code.
    """

    graph: Graph
    properties: Properties
    facts: Facts | None


@contextmanager
def tree_at(reference: str, *, root: Path) -> Generator[Path]:
    """The files of a commit in a folder that is thrown away; the repository itself stays untouched.

    Args:
        reference: Branch, tag or commit.
        root: The repository.

    Raises:
        BaseError: When git knows no such commit, or it holds no program that can be planned.
    """
    commit = _commit(reference, root=root)
    with tempfile.TemporaryDirectory(prefix="parking-base-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        # An index of its own: neither the clone's index nor its list of work trees changes.
        index = Path(folder) / "index"
        done = _git(root, "read-tree", commit, index=index)
        if done.returncode == 0:
            done = _git(root, "checkout-index", "--all", f"--prefix={tree}/", index=index)
        if done.returncode != 0:
            raise BaseError(
                f"the files of {reference!r} cannot be had.\n  found:  {_last_line(done.stderr)}\n"
                "  needed: the commit's files in this clone\n"
                "  to do:  complete the clone: git fetch --unshallow, or without --filter"
            )
        if missing := [name for name in _NEEDED if not (tree / name).exists()]:
            raise BaseError(
                f"{reference!r} cannot be planned.\n  found:  a commit without {', '.join(missing)}\n"
                "  needed: a commit that has the program\n"
                "  to do:  compare with a newer one: make report BASE=main"
            )
        yield tree


_NEEDED = ("__main__.py", "Pulumi.yaml")


def _commit(reference: str, *, root: Path) -> str:
    if shutil.which("git") is None:
        raise BaseError(
            "there is no git on PATH.\n  needed: git, which keeps the commit to compare with\n"
            "  to do:  install it (Debian: apt-get install git)"
        )
    # `--end-of-options`: a name that begins with a dash is a name, too.
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    done = _git(root, *words)
    if done.returncode == 0:
        return done.stdout.strip()
    if _git(root, "rev-parse", "--git-dir").returncode != 0:
        raise BaseError(
            f"there is no git repository in {root}.\n  needed: a clone, which keeps the commit to compare with\n"
            "  to do:  run it in a clone; make report STACK=prod needs none"
        )
    raise BaseError(
        f"there is no commit {reference!r} to compare with.\n"
        "  needed: a branch, tag or commit of this repository\n"
        "  to do:  fetch it (git fetch origin; in a shallow clone with --unshallow), "
        "or name another: make report BASE=main"
    )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["git says nothing"])[-1]


def _git(root: Path, *words: str, index: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        ["git", "-C", str(root), *words],  # noqa: S607 - the git of the user's PATH
        env=None if index is None else {**os.environ, "GIT_INDEX_FILE": str(index)},
        capture_output=True,
        text=True,
        check=False,
    )


def facts_at(stack: str, *, tree: Path, catalogue: tuple[Service, ...]) -> Facts | None:
    """What is reckoned of a stack at another commit: by its own code if that can, else by this one.

    Args:
        stack: The stack.
        tree: Working copy of the commit.
        catalogue: The services of this commit, for the second way.

    Returns:
        The facts, or None when neither way can read the stack's settings.
    """
    if (tree / "infra" / "report" / "__main__.py").exists():
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "infra.report", "--stack", stack, "--json", "--no-plan"],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            found: Facts = json.loads(done.stdout)
            if found.get("format") == FORMAT:
                return found
    try:
        return facts(stack, catalogue=catalogue, root=tree)
    except (SettingsError, OSError):
        return None


def compare(before: Mapping[str, Side], after: Mapping[str, Side], *, base: str) -> str:
    """The difference of all stacks as Markdown.

    Args:
        before: Each stack at the base.
        after: Each stack now.
        base: How the base is called.
    """
    parts = [f"## What changes from `{base}`"]
    for stack in sorted({*before, *after}):
        parts.append(f"### `{stack}`")
        if stack not in before:
            parts.append("A new stack.")
        if stack not in after:
            parts.append("The stack is gone.")
            continue
        parts += _stack(before.get(stack), after[stack])
    return "\n\n".join(parts) + "\n"


def _stack(before: Side | None, after: Side) -> list[str]:
    old, new = _types(before), _types(after)
    types = [
        [
            f"`{token}`",
            str(old.get(token, 0)),
            str(new.get(token, 0)),
            _signed(new.get(token, 0) - old.get(token, 0)),
        ]
        for token in sorted({*old, *new})
        if old.get(token, 0) != new.get(token, 0)
    ]
    overview = [
        [
            "resources",
            str(sum(old.values())),
            str(sum(new.values())),
            _signed(sum(new.values()) - sum(old.values())),
        ]
    ]
    then, now = before.facts if before else None, after.facts
    if now is not None:
        overview += _money(then, now)
    parts = [table(["", "before", "after", "change"], overview)]
    if types:
        parts += ["Resources by type:", table(["type", "before", "after", "change"], types)]
    else:
        parts.append("As many resources of each type.")
    if before is not None and (named := changes.named(before.properties, after.properties)):
        # In a stack that is new every resource is.
        parts += ["Resources that differ, with the properties that do:", named]
    if now is not None and then is not None:
        parts += _titled(
            "Cost, USD of an average month:", ["group", "before", "after", "change"], _groups(then, now)
        )
        parts += _titled("Limits:", ["limit", "before", "after", "times the need"], _limits(then, now))
    elif then is None and before is not None:
        parts.append("Cost and limits before cannot be reckoned: this code does not read those settings.")
    return parts


def _titled(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [title, table(head, rows)] if rows else []


def _types(side: Side | None) -> Mapping[str, int]:
    if side is None:
        return {}
    return Counter(r.type for r in side.graph.resources.values() if is_held(r))


def _money(then: Facts | None, now: Facts) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, read in _FIGURES.items():
        new = read(now)
        old = None if then is None else read(then)
        change = "" if old is None else _signed(round(new - old))
        rows.append([name, "-" if old is None else f"{old:,.0f}", f"{new:,.0f}", change])
    return rows


_FIGURES: Mapping[str, Callable[[Facts], float]] = {
    "USD a month, minimum": lambda found: found["cost"]["levels"]["minimum"],
    "USD a month, average": lambda found: found["cost"]["levels"]["average"],
    "USD a month, maximum": lambda found: found["cost"]["levels"]["maximum"],
    "budget, USD a month": lambda found: found["cost"]["budget"],
}


def _groups(then: Facts, now: Facts) -> list[list[str]]:
    old, new = then["cost"]["groups"], now["cost"]["groups"]
    rows: list[list[str]] = []
    for group in {**old, **new}:
        before = float(old.get(group, {}).get("average", 0.0))
        after = float(new.get(group, {}).get("average", 0.0))
        if abs(after - before) >= _CENTS:
            rows.append([group, f"{before:,.0f}", f"{after:,.0f}", _signed(round(after - before))])
    return rows


def _limits(then: Facts, now: Facts) -> list[list[str]]:
    def by_name(found: Facts) -> dict[str, dict[str, Any]]:
        return {f"{each['what']} {each['kind']}": each for each in found["headRooms"]}

    old, new = by_name(then), by_name(now)
    rows: list[list[str]] = []
    for name in sorted({*old, *new}):
        before, after = _limit(old.get(name)), _limit(new.get(name))
        if before != after:
            factor = new[name]["factor"] if name in new else None
            rows.append([name, before, after, "-" if factor is None else f"{factor:.2f}"])
    return rows


def _limit(each: Mapping[str, Any] | None) -> str:
    return "-" if each is None else f"{each['needed']:,.0f} of {each['offered']:,.0f} {each['unit']}"


def _signed(change: float) -> str:
    return f"{change:+,.0f}" if change else "0"
