"""Every stack on the real engine: applied, unchanged, refreshed, protected, destroyed."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.naming import REQUIRED_TAGS
from tests.engine import destroy_order, events, inventory
from tests.engine.platform import Platform, Resource
from tests.unit.stack_files import STACKS


@pytest.mark.parametrize("stack", STACKS)
def test_a_second_preview_shows_no_change(platform: Platform, stack: str) -> None:
    platform.ok("preview", "--stack", stack, "--expect-no-changes")


@pytest.mark.parametrize("stack", STACKS)
def test_a_refresh_shows_no_change(platform: Platform, stack: str) -> None:
    platform.ok("refresh", "--yes", "--stack", stack, "--expect-no-changes")


def in_all_states(platform: Platform) -> inventory.Held:
    """What the stacks hold at the moment."""
    return inventory.in_states(resource for stack in STACKS for resource in platform.resources(stack))


def test_boto3_finds_in_all_regions_just_what_the_stacks_made(platform: Platform) -> None:
    assert inventory.in_cloud(platform.folder, inventory.REGIONS) == in_all_states(platform)


@pytest.mark.parametrize("stack", STACKS)
def test_everything_that_can_carry_tags_carries_the_required_ones(
    states: dict[str, list[Resource]], stack: str
) -> None:
    taggable = [
        r for r in states[stack] if r.type.startswith("aws:") and isinstance(r.inputs.get("tags"), dict)
    ]

    assert len(taggable) > 100
    for resource in taggable:
        assert set(REQUIRED_TAGS) <= set(resource.inputs["tags"]), resource.urn


@pytest.mark.parametrize("stack", STACKS)
def test_resources_are_in_the_stack_s_region(states: dict[str, list[Resource]], stack: str) -> None:
    region = {"prod": "us-east-1", "prod-eu-west-1": "eu-west-1", "staging": "us-west-2"}[stack]
    global_types = ("aws:iam/", "aws:route53/", "aws:cloudfront/", "aws:s3/")
    edge = ("edge", "global")
    # The far end of the way between two regions is in the other one.
    far = "link-use1-use1-"

    for resource in states[stack]:
        arn = resource.outputs.get("arn")
        if isinstance(arn, str) and not resource.type.startswith(global_types):
            expected = "us-east-1" if resource.name.startswith((*edge, far)) else region
            assert arn.split(":")[3] in (expected, ""), f"{resource.urn}: {arn}"


PROTECTED = {"prod": True, "prod-eu-west-1": True, "staging": False}


@pytest.mark.parametrize("stack", STACKS)
def test_stores_are_protected_where_the_setting_says_so(
    states: dict[str, list[Resource]], stack: str
) -> None:
    stores = [r for r in states[stack] if r.type in ("aws:rds/instance:Instance", "aws:msk/cluster:Cluster")]

    assert stores
    heads = [r for r in stores if r.type.startswith("aws:msk") or r.name == "database-head"]
    assert {r.protect for r in heads} == {PROTECTED[stack]}


def test_the_secondary_replicates_the_primary_s_writer(states: dict[str, list[Resource]]) -> None:
    writer = next(r for r in states["prod"] if r.name == "database-head")
    databases = [r for r in states["prod-eu-west-1"] if r.type == "aws:rds/instance:Instance"]
    recovery = [r for r in databases if r.inputs.get("replicateSourceDb") == writer.outputs["arn"]]

    assert len(databases) == 5
    assert len(recovery) == 2


def test_the_secondary_reaches_the_writer_by_the_name_that_follows_it(
    states: dict[str, list[Resource]],
) -> None:
    writer = next(r for r in states["prod"] if r.name == "database-head")
    record = next(r for r in states["prod"] if r.name == "writer-name-record")
    association = next(r for r in states["prod-eu-west-1"] if r.name == "shared-zone-association")
    routes = [
        r for r in states["prod-eu-west-1"] if r.type == "aws:ec2/route:Route" and r.name.startswith("link-")
    ]
    doors = [r for r in states["prod-eu-west-1"] if r.name.startswith("link-use1-use1-database-")]

    assert record.outputs["records"] == [writer.outputs["address"]]
    assert association.inputs["zoneId"] == record.inputs["zoneId"]
    assert len(routes) == 8
    assert {r.inputs["cidrIpv4"] for r in doors} == {"10.1.0.0/19", "10.1.64.0/19", "10.1.128.0/19"}


def test_a_third_region_is_one_stack_file(platform: Platform) -> None:
    text = (platform.root / "Pulumi.prod-eu-west-1.yaml").read_text().replace("eu-west-1", "ap-southeast-2")
    third = platform.root / "Pulumi.prod-ap-southeast-2.yaml"
    third.write_text(text.replace("10.1.0.0/16", "10.3.0.0/16") + "  parking:peerStacks: [prod-eu-west-1]\n")
    try:
        plan = platform.ok("preview", "--stack", "prod-ap-southeast-2")
    finally:
        third.unlink()

    assert "link-use1-connection" in plan
    assert "link-euw1-connection" in plan


def test_no_secret_is_in_clear_in_any_state(platform: Platform) -> None:
    for stack in STACKS:
        exported = platform.ok("stack", "export", "--stack", stack)
        shown = platform.ok("stack", "export", "--stack", stack, "--show-secrets")
        assert '"plaintext"' not in exported
        assert '"plaintext"' in shown, "the comparison must be able to fail"


def test_outputs_hide_what_is_secret(platform: Platform) -> None:
    outputs = platform.ok("stack", "output", "--json", "--stack", "prod")

    assert '"originSecrets": "[secret]"' in outputs
    assert '"kubeconfig": "[secret]"' in outputs


def test_a_protected_stack_is_destroyed_in_two_deliberate_steps(platform: Platform) -> None:
    said = platform.refused("destroy", "--yes", "--stack", "prod-eu-west-1")
    assert "config set parking:deletionProtection false --stack prod-eu-west-1" in said

    platform.ok("config", "set", "parking:deletionProtection", "false", "--stack", "prod-eu-west-1")
    platform.ok("up", "--yes", "--stack", "prod-eu-west-1")
    platform.ok("destroy", "--yes", "--stack", "prod-eu-west-1")

    assert platform.resources("prod-eu-west-1") == []
    assert inventory.in_cloud(platform.folder, ["eu-west-1"])["ec2:Vpc"] == set()
    assert inventory.in_cloud(platform.folder, inventory.REGIONS) == in_all_states(platform)


def test_an_unprotected_stack_is_destroyed_at_once_in_an_order_that_leaves_nothing_behind(
    platform: Platform, tmp_path: Path
) -> None:
    log = tmp_path / "events.json"
    platform.ok("destroy", "--yes", "--stack", "staging", f"--event-log={log}", **events.ENVIRONMENT)

    assert platform.resources("staging") == []
    assert destroy_order.broken(events.read(log)) == []


def test_the_primary_is_destroyed_last(platform: Platform) -> None:
    platform.ok("config", "set", "parking:deletionProtection", "false", "--stack", "prod")
    platform.ok("up", "--yes", "--stack", "prod")
    platform.ok("destroy", "--yes", "--stack", "prod")

    assert platform.resources("prod") == []
    # Nothing is in it any more.
    assert not platform.folder.exists()


def test_a_secondary_without_its_primary_says_what_to_do(tmp_path: Path) -> None:
    platform = Platform.copy_to(tmp_path / "program")

    said = platform.refused("preview", "--stack", "prod-eu-west-1")

    assert "bin/pulumi-local up --yes --stack prod" in said


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("ownr", "me", "did you mean owner"),
        ("network.cidr", "10.2.0.0/16", "of stack staging"),
        ("network.zones", ["eu-west-1a", "eu-west-1b"], "parking:network.zones[0]"),
        ("nodePools.application.spotShare", 0.5, "parking:nodePools.application.spotShare"),
        ("services.payment.consumers", 21, "at most 20"),
        ("database.maxConnections", 100, "parking:connectionPool"),
        ("database.instanceClass", "db.r6g.3xlarge", "db.r6g.2xlarge"),
    ],
)
def test_a_wrong_stack_file_registers_nothing_and_says_why(
    tmp_path: Path, key: str, value: object, expected: str
) -> None:
    platform = Platform.copy_to(tmp_path / "program")
    platform.set("prod", key, value)

    said = platform.refused("preview", "--stack", "prod")

    assert expected in said
    assert "nothing was registered" in said
