"""Regions of an environment: a further one is one stack file, and a change of role moves nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from infra import settings
from infra.model.stack import Role, StackSettings
from infra.traffic.failover import private_domain, writer_name
from services import CATALOGUE
from tests.unit import stack_files
from tests.unit.stack_files import REMOVED, ROOT, load, problems

THIRD: dict[str, Any] = {
    "region": "ap-southeast-2",
    "network": {
        "cidr": "10.3.0.0/16",
        "zones": ["ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"],
    },
    "peerStacks": ["prod-eu-west-1"],
}


def ranges_of(*stacks: str) -> dict[str, str]:
    return {stack: load(stack).network.cidr for stack in stacks}


def third(**changes: object) -> StackSettings:
    return load("prod-eu-west-1", other_ranges=ranges_of(*stack_files.STACKS), **{**THIRD, **changes})


def test_a_third_region_is_one_stack_file() -> None:
    found = third()

    assert found.role is Role.SECONDARY
    assert found.global_stack == "prod"
    assert found.connected_stacks == ("prod", "prod-eu-west-1")


def test_a_third_region_may_not_overlap_any_other() -> None:
    for stack, cidr in ranges_of(*stack_files.STACKS).items():
        network = {**THIRD["network"], "cidr": cidr}
        found = problems("prod-eu-west-1", other_ranges={stack: cidr}, **{**THIRD, "network": network})

        assert [problem.key for problem in found] == ["parking:network.cidr"]
        assert stack in found[0].found


def test_siblings_are_the_other_regions_of_the_same_environment() -> None:
    found = {one.stack: one for one in settings.siblings(load("prod"))}

    assert set(found) == {"prod-eu-west-1"}
    assert found["prod-eu-west-1"].region == "eu-west-1"
    assert found["prod-eu-west-1"].database_cidrs == ("10.1.36.0/22", "10.1.100.0/22", "10.1.164.0/22")
    assert settings.siblings(load("staging")) == ()


def test_a_new_stack_file_is_a_sibling_at_once_and_a_broken_one_is_its_own_problem(tmp_path: Path) -> None:
    for stack in stack_files.STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", tmp_path)
    third_file = (ROOT / "Pulumi.prod-eu-west-1.yaml").read_text().replace("eu-west-1", "ap-southeast-2")
    (tmp_path / "Pulumi.prod-ap-southeast-2.yaml").write_text(third_file.replace("10.1.", "10.3."))
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [")

    found = settings.siblings(load("prod"), root=tmp_path)

    assert [one.stack for one in found] == ["prod-ap-southeast-2", "prod-eu-west-1"]
    assert (
        settings.parse(
            stack_files.changed("prod"), stack="prod", catalogue=CATALOGUE, other_ranges={}
        ).connected_stacks
        == ()
    )


def test_a_failover_changes_the_role_and_who_is_read_and_no_connection() -> None:
    before = load("prod-eu-west-1")
    after = load("prod-eu-west-1", role="primary", primaryStack=REMOVED, edgeStack="prod")
    former = load("prod", role="secondary", primaryStack="prod-eu-west-1")

    assert after.role is Role.PRIMARY
    assert after.connected_stacks == before.connected_stacks == ("prod",)
    assert former.connected_stacks == ()
    assert former.global_stack is None


def test_a_region_without_an_edge_says_whose_names_it_uses() -> None:
    found = problems("prod-eu-west-1", role="primary", primaryStack=REMOVED)

    assert [problem.key for problem in found] == ["parking:edgeStack"]


def test_an_environment_has_one_edge_which_connects_to_nobody() -> None:
    found = problems("prod", edgeStack="staging", peerStacks=["prod-eu-west-1"])

    assert [problem.key for problem in found] == ["parking:edgeStack", "parking:peerStacks"]


def test_the_writers_name_lies_in_the_private_zone() -> None:
    assert writer_name("prod") == "writer.database.prod.internal"
    assert writer_name("prod").endswith("." + private_domain("prod"))
