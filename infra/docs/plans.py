"""Plans every stack with the real engine, in a state folder that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import yaml

from infra import stack_files
from infra.diagram.graph import Graph, read
from infra.local.environment import ONE_CHECKPOINT

REPOSITORY = Path(__file__).resolve().parents[2]


class PlanError(Exception):
    """A stack could not be planned."""


def plan_all(
    project: Path = REPOSITORY, *, only: Collection[str] = (), previews: bool = False
) -> dict[str, Graph]:
    """The plan of every stack that has a file, by name.

    Args:
        project: Folder of the program, which may be another version of it.
        only: Stacks to plan; none: all. A primary that one of them follows is applied all the same.
        previews: Whether a primary that is followed shows its own preview, too, and not its state after `up`: what
            `up` adds to a state is then no difference between two primaries.

    Raises:
        PlanError: When the engine refuses one.
    """
    found = documents(project, only=only, previews=previews)
    return {stack: read(document) for stack, document in found.items()}


def documents(
    project: Path, *, only: Collection[str] = (), previews: bool = False
) -> dict[str, dict[str, Any]]:
    """What `preview --json` shows of every stack; of one that others read, what `stack export` shows after `up`.

    Args:
        project: Folder of the program, which may be another version of it.
        only: As for `plan_all`.
        previews: As for `plan_all`.

    Raises:
        PlanError: When the engine refuses one.
    """
    stacks = {
        stack: _primary(stack_files.path_of(stack, root=project)) for stack in stack_files.names(root=project)
    }
    wanted = [stack for stack in stacks if not only or stack in only]
    followed = {primary for stack, primary in stacks.items() if stack in wanted and primary is not None}
    with tempfile.TemporaryDirectory(prefix="parking-docs-") as folder:
        home = Path(folder)
        found: dict[str, dict[str, Any]] = {}
        for stack in sorted({*wanted, *followed}, key=lambda stack: (stacks[stack] is not None, stack)):
            if stack in wanted and (previews or stack not in followed):
                shown = _pulumi("preview", "--json", "--stack", stack, home=home, project=project)
                found[stack] = json.loads(shown)
            if stack in followed:
                # Its secondaries read its outputs, which a plan does not have.
                _pulumi("up", "--yes", "--skip-preview", "--stack", stack, home=home, project=project)
                if stack in wanted and not previews:
                    shown = _pulumi("stack", "export", "--stack", stack, home=home, project=project)
                    found[stack] = json.loads(shown)
    return {stack: found[stack] for stack in sorted(found)}


def _primary(path: Path) -> str | None:
    config = cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))["config"]
    return config.get("parking:primaryStack")


def _pulumi(*args: str, home: Path, project: Path) -> str:
    local = {
        "PULUMI_LOCAL_HOME": str(home / "state"),
        "PULUMI_LOCAL_PROJECT": str(project),
        "PULUMI_LOCAL_PYTHON": sys.executable,
    }
    env = {**os.environ, **local, **ONE_CHECKPOINT}
    done = subprocess.run(  # noqa: S603 - our own command
        [str(REPOSITORY / "bin" / "pulumi-local"), *args],
        cwd=REPOSITORY,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PlanError(
            f"`bin/pulumi-local {' '.join(args)}` failed:\n{done.stderr[-2000:]}{done.stdout[-2000:]}"
        )
    return done.stdout
