"""Commands of the pages, run as they stand in a folder of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from infra.local.cloud import running
from infra.local.environment import ONE_CHECKPOINT
from tests.documented import commands
from tests.engine.platform import REPOSITORY

SAYS = {
    "make capacity STACK=prod": "payment",
    "make preview STACK=prod": "to create",
    "make preview STACK=staging": "to create",
    "make up STACK=staging": "created",
    "bin/pulumi-local up --yes --stack staging": "unchanged",
    "bin/pulumi-local stack output --json --stack staging": '"contract"',
    "bin/pulumi-local refresh --yes --stack staging": "unchanged",
}
"""Commands in an order that makes sense, and a word of what each says."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """The working copy as a person has it, with what git knows and its set-up done."""
    root = tmp_path_factory.mktemp("clone") / "repository"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    # Its own folder, so that a set-up that finds something to do does it here.
    (root / ".venv").mkdir()
    for each in (REPOSITORY / ".venv").resolve().iterdir():
        (root / ".venv" / each.name).symlink_to(each)
    stamp = root / ".venv" / ".installed.lock"
    stamp.unlink(missing_ok=True)
    shutil.copy(root / "requirements.lock", stamp)
    try:
        yield root
    finally:
        running.stop(root / ".pulumi-local" / "cloud")


def run(clone: Path, *command: str) -> str:
    """What a command says that must succeed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
    if "PULUMI_LOCAL_ENGINE" in os.environ:
        env["PULUMI_LOCAL_ENGINE"] = os.environ["PULUMI_LOCAL_ENGINE"]
    env |= ONE_CHECKPOINT
    done = subprocess.run(
        command,
        cwd=clone,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("command", SAYS)
def test_a_command_of_a_page_does_what_it_says(clone: Path, command: str) -> None:
    assert SAYS[command] in run(clone, *command.split())


def test_the_page_of_the_cloud_does_what_it_says(clone: Path) -> None:
    shown = commands.of_page(REPOSITORY / "docs" / "local-cloud.md")
    script = [one.text for one in shown if one.fenced]
    assert 'eval "$(make -s cloud-env)"' in script

    said = run(clone, "bash", "-ec", "\n".join(script))

    assert "['parking-staging']" in said
    # It comes back with what it held.
    run(clone, "bash", "-ec", 'eval "$(make -s cloud-env)"; test -n "$AWS_ENDPOINT_URL"')


def test_the_last_command_of_the_page_leaves_nothing(clone: Path) -> None:
    assert "deleted" in run(clone, "bin/pulumi-local", "destroy", "--yes", "--stack", "staging")
    assert not (clone / ".pulumi-local" / "cloud").exists()
