"""State that the last release made is planned and updated by the working copy, and no store is lost."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

from infra import guard, stack_files
from infra.stateful import PROTECTED
from tests.engine.conftest import PRIMARIES_FIRST
from tests.engine.platform import REPOSITORY, Platform


def git(*args: str) -> bytes:
    return subprocess.run(["git", *args], cwd=REPOSITORY, capture_output=True, check=True).stdout


def last_release() -> str:
    """The commit that the working copy is compared with: the newest version's tag, else the commit before the last.

    A clone of one commit without tags has nothing older than itself: `git fetch --unshallow --tags` gets it.
    """
    tags = git("tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-v:refname").decode().split()
    if tags:
        return tags[0]
    found = git("rev-list", "--first-parent", "--max-count=2", "HEAD").decode().split()
    return found[-1]


def test_the_state_of_the_last_release_is_upgraded_without_losing_a_store(tmp_path: Path) -> None:
    release = last_release()
    with tarfile.open(fileobj=io.BytesIO(git("archive", release))) as archive:
        archive.extractall(tmp_path / "program", filter="data")
    platform = Platform(root=tmp_path / "program")
    # A stack that is new since has nothing to upgrade.
    stacks = [stack for stack in PRIMARIES_FIRST if stack_files.path_of(stack, platform.root).exists()]
    assert stacks
    for stack in stacks:
        platform.ok("up", "--yes", "--skip-preview", "--stack", stack, PULUMI_LOCAL_POLICIES="off")
        assert any(resource.type in PROTECTED for resource in platform.resources(stack)), stack

    platform.take_working_copy()
    for stack in stacks:
        done = platform.run("preview", "--json", "--stack", stack)
        assert done.returncode == 0, f"{stack}, since {release}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
        steps = list(guard.steps_of_preview(json.loads(done.stdout)))
        assert steps
        assert guard.losses(steps) == [], f"{stack}, since {release}"
        # A secondary reads what its primary says after its own upgrade.
        platform.ok("up", "--yes", "--skip-preview", "--stack", stack)
