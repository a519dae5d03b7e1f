"""Providers that fail, throttle, hang or lose answers at random, and killed runs: the next run mends it all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.cloud import running as clouds
from infra.local.providers.faults import VARIABLE
from tests.engine import holdings, inventory
from tests.engine.mini import kill_group, processes_of, wait_until
from tests.engine.platform import Platform, command_of
from tests.engine.test_providers import EVERYTHING, Project

STACK = "staging"
SEEDS = (1, 2, 3, 4, 5)
KILLS = 10

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="ends processes by group, as bin/pulumi-local does"
)


def faults(seed: int, *, share: int, operations: str = "create|update|delete|read") -> dict[str, str]:
    """Rules that strike a share of all operations in each of three ways."""
    actions = ("fail", "throttle", "lose")
    return {VARIABLE: ";".join(f"{action}%{share}@{seed}:^({operations}) " for action in actions)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.made_in(tmp_path)
    project.write(EVERYTHING)
    return project


def assert_nothing_is_orphaned(project: Project) -> None:
    held = holdings.in_records(project.records(), "dev")

    assert held == holdings.in_state(project.ok("stack", "export"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_provider_that_fails_at_random_is_recovered_from(project: Project, seed: int) -> None:
    going_on = ("--continue-on-error",) if seed % 2 else ()
    said = project.fails("up", "--yes", "--skip-preview", *going_on, **faults(seed, share=8))
    assert f"injected by {VARIABLE}" in said
    assert "Traceback" not in said

    project.ok("up", "--yes", "--skip-preview")
    project.ok("preview", "--expect-no-changes")
    assert_nothing_is_orphaned(project)

    # What is changed, then destroyed, under faults.
    project.run("up", "--yes", "--skip-preview", "--stack", "dev", DNS="1", **faults(seed, share=20))
    project.ok("up", "--yes", "--skip-preview", DNS="1")
    assert_nothing_is_orphaned(project)
    said = project.fails("destroy", "--yes", "--skip-preview", DNS="1", **faults(seed, share=15))
    assert "Traceback" not in said
    project.ok("destroy", "--yes", "--skip-preview", DNS="1")
    assert holdings.in_records(project.records(), "dev") == set()


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_provider_that_hangs_is_left_by_an_interrupt_and_the_next_run_completes(
    project: Project, seed: int
) -> None:
    log = project.root / ".pulumi-local" / "logs" / "providers.log"
    rules = {VARIABLE: f"hang%15@{seed}:^create "}
    with running(project.root, "up", "--yes", "--skip-preview", "--stack", "dev", **rules) as process:
        wait_until(lambda: log.exists() and "hangs, as" in log.read_text(), what="a creation hangs")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "Traceback" not in stdout + stderr

    project.ok("up", "--yes", "--skip-preview")
    project.ok("preview", "--expect-no-changes")
    assert_nothing_is_orphaned(project)


@pytest.fixture
def cloudy(tmp_path: Path) -> Generator[Platform]:
    """The program, with moto behind it."""
    platform = Platform.copy_to(tmp_path / "program", cloud=True)
    try:
        yield platform
    finally:
        clouds.stop(platform.folder)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_the_platform_itself_survives_a_failing_provider(cloudy: Platform, seed: int) -> None:
    platform = cloudy
    going_on = ("--continue-on-error",) if seed % 2 else ()
    said = platform.refused(
        "up",
        "--yes",
        "--skip-preview",
        *going_on,
        "--stack",
        STACK,
        **faults(seed, share=1, operations="create"),
    )
    assert f"injected by {VARIABLE}" in said

    platform.ok("up", "--yes", "--skip-preview", "--stack", STACK)
    platform.ok("preview", "--expect-no-changes", "--stack", STACK)
    assert_platform_is_whole(platform, STACK)


def test_both_production_stacks_survive_ten_kills(cloudy: Platform) -> None:
    chance = random.Random(9)  # noqa: S311 - no secret
    for stack, most in (("prod", 690), ("prod-eu-west-1", 630)):
        # A moment is a count of resources, fewer than there will be, so that it is the same on any machine.
        moments = sorted(chance.sample(range(1, most), KILLS // 2))
        told = sum(killed_at(cloudy, stack, moment, number % 2 == 0) for number, moment in enumerate(moments))

        done = cloudy.run("up", "--yes", "--skip-preview", "--stack", stack)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        told += "unfinished operation" in done.stderr
        assert told > 0, "no run said that it recovered another"
        cloudy.ok("preview", "--expect-no-changes", "--stack", stack)
    assert_platform_is_whole(cloudy, "prod", "prod-eu-west-1")


def killed_at(platform: Platform, stack: str, moment: int, cloud_too: bool) -> bool:  # noqa: FBT001 - of a loop
    """Kill an `up` once there are so many resources; whether it said that it recovered another run."""
    command = ("up", "--yes", "--skip-preview", "--stack", stack)
    with running(platform.root, *command, PULUMI_LOCAL_CLOUD="on") as process:
        wait_until(
            lambda: process.poll() is not None or holdings.count(records_of(platform), stack) >= moment,
            what=f"there are {moment} resources",
            seconds=600,
        )
        assert process.poll() is None, process.communicate()
        cloud = clouds.find(platform.folder)
        if cloud_too and cloud is not None:
            # The cloud may die as well, before the run or after it.
            os.kill(cloud.pid, signal.SIGKILL)
        kill_group(process, signal.SIGKILL)
        _, stderr = process.communicate(timeout=60)
    home = platform.root / ".pulumi-local"
    wait_until(lambda: not processes_of(home), what="no process is left", seconds=60)
    # The state can be read.
    holdings.in_state(platform.ok("stack", "export", "--stack", stack))
    return "unfinished operation" in stderr


def records_of(platform: Platform) -> Path:
    return platform.root / ".pulumi-local" / "providers" / "records.sqlite"


def assert_platform_is_whole(platform: Platform, *stacks: str) -> None:
    """See that records, states and cloud hold the same: nothing twice, nothing left, nothing missing."""
    exported = {stack: platform.ok("stack", "export", "--stack", stack) for stack in stacks}
    for stack, state in exported.items():
        held = holdings.in_records(records_of(platform), stack)
        assert len(held) > 400
        assert held == holdings.in_state(state)
    found = inventory.in_cloud(platform.folder, inventory.REGIONS)
    resources = [resource for state in exported.values() for resource in inventory.resources_of(state)]
    assert found == inventory.in_states(resources)
    for stack in stacks:
        platform.ok("refresh", "--yes", "--expect-no-changes", "--stack", stack)


@contextmanager
def running(root: Path, *args: str, **more: str) -> Generator[subprocess.Popen[str]]:
    """A run of the local platform in a process group of its own, which is gone after the block."""
    command, env = command_of(root, args, more)
    with subprocess.Popen(
        command,
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                kill_group(process, signal.SIGKILL)
