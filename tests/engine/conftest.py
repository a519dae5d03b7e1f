"""All three stacks applied once for every test of this folder."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from infra.local.cloud import running
from tests.engine.platform import Platform, Resource
from tests.unit.stack_files import STACKS

PRIMARIES_FIRST = ("prod", "prod-eu-west-1", "staging")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    """The real program, applied in all its stacks; tests read it, and the last of `test_stacks` destroy it."""
    platform = Platform.copy_to(tmp_path_factory.mktemp("stacks") / "program", cloud=True)
    try:
        for stack in PRIMARIES_FIRST:
            platform.ok("up", "--yes", "--skip-preview", "--stack", stack)
        yield platform
    finally:
        running.stop(platform.folder)


@pytest.fixture(scope="session")
def states(platform: Platform) -> dict[str, list[Resource]]:
    """What each stack's state holds after its first `up`."""
    return {stack: platform.resources(stack) for stack in STACKS}
