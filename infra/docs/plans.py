"""Plans every stack with the real engine, in a state folder that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import yaml

from infra import stack_files
from infra.diagram.graph import Graph, read
from infra.local.environment import ONE_CHECKPOINT

REPOSITORY = Path(__file__).resolve().parents[2]


class PlanError(Exception):
    """A stack could not be planned."""


def plan_all() -> dict[str, Graph]:
    """The plan of every stack that has a file, by name.

    Raises:
        PlanError: When the engine refuses one.
    """
    return {stack: read(document) for stack, document in documents(REPOSITORY).items()}


def documents(project: Path) -> dict[str, dict[str, Any]]:
    """What `preview --json` shows of every stack; of one that others read, what `stack export` shows after `up`.

    Args:
        project: Folder of the program, which may be another version of it.

    Raises:
        PlanError: When the engine refuses one.
    """
    stacks = {
        stack: _primary(stack_files.path_of(stack, root=project)) for stack in stack_files.names(root=project)
    }
    followed = {primary for primary in stacks.values() if primary is not None}
    with tempfile.TemporaryDirectory(prefix="parking-docs-") as folder:
        home = Path(folder)
        found: dict[str, dict[str, Any]] = {}
        for stack in sorted(stacks, key=lambda stack: (stacks[stack] is not None, stack)):
            if stack in followed:
                # Its secondaries read its outputs, which a plan does not have.
                _pulumi("up", "--yes", "--skip-preview", "--stack", stack, home=home, project=project)
                shown = _pulumi("stack", "export", "--stack", stack, home=home, project=project)
            else:
                shown = _pulumi("preview", "--json", "--stack", stack, home=home, project=project)
            found[stack] = json.loads(shown)
    return {stack: found[stack] for stack in sorted(stacks)}


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
