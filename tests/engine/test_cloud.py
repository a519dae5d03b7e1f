"""The cloud behind the aws stand-in: boto3 finds what Pulumi made, Pulumi what boto3 changed, a kill loses nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import running
from infra.local.providers.faults import VARIABLE
from tests.engine import inventory
from tests.engine.test_providers import Project

REGION = "us-west-2"
ON = {"PULUMI_LOCAL_CLOUD": "on"}
NETWORK = """
vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, tags={"team": "parking"})
subnets = [
    aws.ec2.Subnet(f"subnet-{zone}", vpc_id=os.environ.get("VPC") or vpc.id, cidr_block=f"10.0.{n}.0/24",
                   availability_zone=f"us-west-2{zone}")
    for n, zone in enumerate("ab")
]
key = aws.kms.Key("key", description="data")
group = aws.ec2.SecurityGroup("access", vpc_id=vpc.id, description="clients")
placed = aws.rds.SubnetGroup("placed", subnet_ids=[s.id for s in subnets])
password = random.RandomPassword("password", length=24, special=False)
size = os.environ.get("CLASS", "db.r6g.xlarge")
database = aws.rds.Instance("db", identifier="db", engine="postgres", instance_class=size,
                            allocated_storage=100, username="app", password=password.result, skip_final_snapshot=True,
                            db_subnet_group_name=placed.name, vpc_security_group_ids=[group.id], storage_encrypted=True,
                            kms_key_id=key.arn, backup_retention_period=7, multi_az=os.environ.get("MULTI") == "1",
                            opts=pulumi.ResourceOptions(ignore_changes=os.environ.get("IGNORE", "").split()))
role = aws.iam.Role("role", assume_role_policy=TRUST)
secret = aws.secretsmanager.Secret("secret", recovery_window_in_days=0)
version = aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string=password.result)
edge = aws.Provider("edge", region="us-east-1")
topic = aws.sns.Topic("alerts", opts=pulumi.ResourceOptions(provider=edge))
pulumi.export("vpc", vpc.id)
pulumi.export("address", database.address)
"""


class Cloudy(Project):
    """A project with a cloud behind it."""

    @property
    def folder(self) -> Path:
        return self.root / ".pulumi-local" / "cloud"

    def ask(self, service: str, region: str = REGION) -> Any:
        return inventory.client(self.folder, service, region)

    def server(self) -> dict[str, Any]:
        return self.ask("rds").describe_db_instances(DBInstanceIdentifier="db")["DBInstances"][0]

    def held(self) -> inventory.Held:
        return inventory.in_cloud(self.folder, [REGION, "us-east-1"])

    def wanted(self) -> inventory.Held:
        return inventory.in_states(inventory.resources_of(self.ok("stack", "export", **ON)))


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cloudy]:
    """A small network with a database, made in a cloud; each test leaves it as it was."""
    project = Cloudy.made_in(tmp_path_factory.mktemp("cloud"))
    try:
        project.up(NETWORK, **ON)
        yield project
    finally:
        running.stop(project.folder)


def test_boto3_finds_in_every_region_just_what_pulumi_made(applied: Cloudy) -> None:
    held = applied.held()

    assert held == applied.wanted()
    assert len(held["ec2:Subnet"]) == 2
    assert applied.outputs()["address"] == applied.server()["Endpoint"]["Address"]
    assert {
        tag["Key"] for tag in applied.ask("ec2").describe_vpcs(VpcIds=[*held["ec2:Vpc"]])["Vpcs"][0]["Tags"]
    } == {"team"}
    secret = applied.ask("secretsmanager").get_secret_value(
        SecretId=next(iter(held["secretsmanager:Secret"]))
    )
    assert len(secret["SecretString"]) == 24


def test_nothing_has_drifted_while_nobody_changed_anything(applied: Cloudy) -> None:
    applied.ok("refresh", "--yes", "--expect-no-changes", **ON)
    applied.ok("preview", "--expect-no-changes", **ON)


def test_a_refresh_sees_what_was_changed_behind_pulumi_s_back_and_an_up_takes_it_back(
    applied: Cloudy,
) -> None:
    applied.ask("rds").modify_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.r6g.4xlarge", ApplyImmediately=True
    )
    vpc = applied.outputs()["vpc"]
    applied.ask("ec2").create_tags(
        Resources=[vpc], Tags=[{"Key": "team", "Value": "nobody"}, {"Key": "by", "Value": "hand"}]
    )

    said = applied.fails("refresh", "--preview-only", "--expect-no-changes", "--diff", **ON)
    assert "db.r6g.4xlarge" in said
    assert "nobody" in said

    applied.ok("refresh", "--yes", **ON)
    assert applied.steps() == {"db": "update", "main": "update"}
    applied.ok("up", "--yes", "--skip-preview", **ON)
    assert applied.server()["DBInstanceClass"] == "db.r6g.xlarge"
    tags = applied.ask("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "parking"}


def test_a_refresh_sees_what_is_gone_and_an_up_makes_it_again(applied: Cloudy) -> None:
    (secret,) = applied.held()["secretsmanager:Secret"]
    applied.ask("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)

    applied.ok("refresh", "--yes", **ON)
    assert applied.steps() == {"secret": "create", "version": "create"}
    applied.ok("up", "--yes", "--skip-preview", **ON)
    assert applied.held() == applied.wanted()


def test_a_change_of_the_program_reaches_the_cloud(applied: Cloudy) -> None:
    applied.ok("up", "--yes", "--skip-preview", CLASS="db.r6g.2xlarge", **ON)
    assert applied.server()["DBInstanceClass"] == "db.r6g.2xlarge"
    applied.ok("up", "--yes", "--skip-preview", **ON)
    assert applied.server()["DBInstanceClass"] == "db.r6g.xlarge"


def test_what_the_program_leaves_alone_stays_as_others_left_it(applied: Cloudy) -> None:
    rds = applied.ask("rds")
    rds.modify_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.r6g.8xlarge", ApplyImmediately=True)

    applied.ok("refresh", "--yes", **ON)
    applied.ok("up", "--yes", "--skip-preview", IGNORE="instanceClass", MULTI="1", **ON)
    assert applied.server()["DBInstanceClass"] == "db.r6g.8xlarge"
    assert applied.server()["MultiAZ"] is True

    applied.ok("up", "--yes", "--skip-preview", **ON)
    assert applied.server()["DBInstanceClass"] == "db.r6g.xlarge"


def test_a_reference_to_what_is_not_there_fails_as_on_aws(applied: Cloudy) -> None:
    said = applied.fails("up", "--yes", "--skip-preview", VPC="vpc-00000000000000000", **ON)

    assert "InvalidVpcID.NotFound" in said
    assert "vpc-00000000000000000" in said
    applied.ok("up", "--yes", "--skip-preview", **ON)
    assert applied.held() == applied.wanted()


def test_a_killed_cloud_comes_back_as_it_was(applied: Cloudy) -> None:
    before = applied.held()
    found = running.find(applied.folder)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)

    applied.ok("refresh", "--yes", "--expect-no-changes", **ON)

    again = running.find(applied.folder)
    assert again is not None
    assert again.pid != found.pid
    assert again.port == found.port, "what `make cloud-env` printed before still leads there"
    assert applied.held() == before


def test_an_answer_that_gets_lost_leaves_nothing_twice(tmp_path: Path) -> None:
    project = Cloudy.made_in(tmp_path)
    project.write(NETWORK)
    try:
        project.fails(
            "up", "--yes", "--skip-preview", **ON, **{VARIABLE: "lose:create .*(Vpc|Subnet|Role|Key)::"}
        )
        project.ok("up", "--yes", "--skip-preview", **ON)

        assert project.held() == project.wanted()

        project.ok("destroy", "--yes", "--skip-preview", **ON)
        assert running.find(project.folder) is None, "an empty cloud ends"
        assert not project.folder.exists()
    finally:
        running.stop(project.folder)


def test_a_cloud_cannot_be_left_out_once_something_is_in_it(applied: Cloudy) -> None:
    said = applied.fails("up", "--yes", PULUMI_LOCAL_CLOUD="off")
    assert "would leave resources behind" in said

    said = applied.fails("up", "--yes", PULUMI_LOCAL_CLOUD="perhaps")
    assert "allowed: on, off" in said


def test_a_damaged_journal_says_what_to_do(applied: Cloudy) -> None:
    running.stop(applied.folder)
    journal = applied.folder / "journal.sqlite"
    whole = journal.read_bytes()
    try:
        journal.write_bytes(b"not a database" * 1000)
        said = applied.fails("refresh", "--yes", **ON)
        assert "cloud-down ARGS=--forget" in said
        assert "Traceback" not in said
    finally:
        journal.write_bytes(whole)
    applied.ok("refresh", "--yes", "--expect-no-changes", **ON)


def test_no_secret_is_in_the_cloud_s_files(applied: Cloudy) -> None:
    (secret,) = applied.held()["secretsmanager:Secret"]
    value: str = applied.ask("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]

    for path in (applied.root / ".pulumi-local").rglob("*"):
        if path.is_file():
            assert value.encode() not in path.read_bytes(), path
