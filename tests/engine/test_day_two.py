"""Upgrades and replacements of nodes on the real engine: what is allowed, and in which order it happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import events
from tests.engine.platform import REPOSITORY
from tests.engine.test_providers import Project

CLUSTER = """
vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
subnets = [
    aws.ec2.Subnet(f"subnet-{zone}", vpc_id=vpc.id, cidr_block=f"10.0.{n}.0/24", availability_zone=f"us-west-2{zone}")
    for n, zone in enumerate("ab")
]
cluster = eks.Cluster("cluster", vpc_id=vpc.id, subnet_ids=[s.id for s in subnets], skip_default_node_group=True,
                      authentication_mode=eks.AuthenticationMode.API, version=os.environ.get("VERSION", "1.34"))
"""
POOL = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from components.node_pool import NodeEnvironment, NodePool, NodeRole
from infra.cluster.pools import SHAPES, PoolName
from infra.model.stack import Environment, PoolSettings, Role
from infra.naming import StackContext

context = StackContext(environment=Environment.STAGING, region="us-west-2", role=Role.PRIMARY, owner="platform",
                       cost_centre="parking", protect=False)
vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
subnet = aws.ec2.Subnet("nodes", vpc_id=vpc.id, cidr_block="10.0.0.0/24", availability_zone="us-west-2a")
group = aws.ec2.SecurityGroup("nodes", vpc_id=vpc.id)
role = NodeRole("role", context=context)
cluster = aws.eks.Cluster("cluster", name="parking-staging", version=os.environ.get("VERSION", "1.34"),
                          role_arn=role.arn, vpc_config={{"subnet_ids": [subnet.id]}})
nodes = NodeEnvironment(
    cluster_name=cluster.name, kubernetes_version=os.environ.get("VERSION", "1.34"),
    subnet_ids=[subnet.id], security_group_ids=[group.id],
    role_arn=role.arn, disk_key_arn=aws.kms.Key("disks").arn,
)
NodePool("database", context=context, shape=SHAPES[PoolName.DATABASE], nodes=nodes, settings=PoolSettings(
    instance_types=(os.environ.get("NODE", "r5.2xlarge"),), min_size=3, max_size=10,
    disk_gib=int(os.environ.get("DISK", "100")), max_unavailable_percent=20,
))
"""
GROUP = "aws:eks/nodeGroup:NodeGroup"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.made_in(tmp_path)


def order_of_up(project: Project, **environment: str) -> list[events.Done]:
    log = project.root / "events.json"
    project.ok("up", "--yes", "--skip-preview", f"--event-log={log}", **events.ENVIRONMENT, **environment)
    return events.read(log)


def test_a_cluster_is_upgraded_one_minor_at_a_time(project: Project) -> None:
    project.up(CLUSTER)

    jump = project.fails("preview", VERSION="1.36")
    assert "runs Kubernetes 1.34, the plan wants 1.36" in jump
    assert "1.35, 1.36" in jump
    assert "each in turn" in project.fails("up", "--yes", "--skip-preview", VERSION="1.36")

    project.ok("up", "--yes", "--skip-preview", VERSION="1.35")
    assert "never goes back" in project.fails("preview", VERSION="1.34")
    project.ok("preview", VERSION="1.36")


def test_a_node_group_of_another_instance_type_stands_before_the_old_one_goes(project: Project) -> None:
    project.up(POOL)

    done = [one for one in order_of_up(project, NODE="r5.4xlarge") if one.type == GROUP]

    created = next(one for one in done if one.operation == "create-replacement")
    deleted = next(one for one in done if one.operation == "delete-replaced")
    assert created.ended < deleted.began
    groups = [one for one in project.resources() if one["type"] == GROUP]
    assert [group["inputs"]["instanceTypes"] for group in groups] == [["r5.4xlarge"]]


@pytest.mark.parametrize("change", [{"DISK": "200"}, {"VERSION": "1.35"}])
def test_a_new_template_or_version_rolls_through_the_group_that_is_there(
    project: Project, change: dict[str, str]
) -> None:
    project.up(POOL)
    (before,) = [one for one in project.resources() if one["type"] == GROUP]

    done = [one for one in order_of_up(project, **change) if one.type == GROUP]

    (after,) = [one for one in project.resources() if one["type"] == GROUP]
    assert [one.operation for one in done if one.operation != "same"] == ["update"]
    assert after["id"] == before["id"]
    assert after["inputs"]["updateConfig"]["maxUnavailablePercentage"] == 20
    if "DISK" in change:
        versions = [one["outputs"]["launchTemplate"]["version"] for one in (before, after)]
        assert versions == ["1", "2"]
