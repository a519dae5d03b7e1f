"""The stand-in providers under the real engine: small programs applied, changed, refreshed, replaced, destroyed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from tests.engine.platform import REPOSITORY, run_pulumi

TIMEOUT_SECONDS = 600
HEADER = """
import json, pulumi, pulumi_aws as aws, pulumi_eks as eks, pulumi_kubernetes as k8s, pulumi_random as random
import os

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})

class Raw(pulumi.CustomResource):
    # What no SDK class would send: for the checks that only a provider makes.
    def __init__(self, token, name, properties):
        super().__init__(token, name, properties)

"""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project in a folder of its own, run by `bin/pulumi-local`."""

    root: Path

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """An empty project in a new folder of that one."""
        root = folder / "project"
        root.mkdir()
        settings = "name: mini\nruntime: python\nconfig:\n  aws:region: us-west-2\n"
        (root / "Pulumi.yaml").write_text(settings, encoding="utf-8")
        (root / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
        return cls(root=root)

    def write(self, program: str) -> None:
        (self.root / "__main__.py").write_text(HEADER + program, encoding="utf-8")

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return run_pulumi(self.root, *arguments, more=more, timeout_seconds=TIMEOUT_SECONDS)

    def ok(self, *arguments: str, **more: str) -> str:
        done = self.run(*arguments, "--stack", "dev", **more)
        assert done.returncode == 0, f"{arguments}\n{done.stdout[-5000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def fails(self, *arguments: str, **more: str) -> str:
        done = self.run(*arguments, "--stack", "dev", **more)
        assert done.returncode != 0, done.stdout[-3000:]
        return done.stdout + done.stderr

    def up(self, program: str, **more: str) -> dict[str, Any]:
        self.write(program)
        self.ok("up", "--yes", "--skip-preview", **more)
        return self.outputs()

    def outputs(self) -> dict[str, Any]:
        return json.loads(self.ok("stack", "output", "--json"))

    def steps(self) -> dict[str, str]:
        """What a preview would do, by the resource's name; unchanged ones are left out."""
        plan = json.loads(self.ok("preview", "--json"))
        return {
            step["urn"].rpartition("::")[2]: step["op"]
            for step in plan.get("steps", [])
            if step["op"] != "same"
        }

    def resources(self) -> list[dict[str, Any]]:
        return json.loads(self.ok("stack", "export"))["deployment"].get("resources", [])

    def records(self) -> Path:
        (found,) = (self.root / ".pulumi-local").rglob("records.sqlite")
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.made_in(tmp_path)


EVERYTHING = """
block = os.environ.get("BLOCK", "10.0.0.0/16")
vpc = aws.ec2.Vpc("main", cidr_block=block, enable_dns_hostnames=os.environ.get("DNS") == "1")
subnets = [
    aws.ec2.Subnet(f"subnet-{zone}", vpc_id=vpc.id, cidr_block=f"10.0.{n}.0/24", availability_zone=f"us-west-2{zone}")
    for n, zone in enumerate("ab")
]
east = aws.Provider("edge", region="us-east-1", default_tags={"tags": {"owner": "platform"}})
certificate = aws.acm.Certificate("cert", domain_name="a.example.com", validation_method="DNS",
                                  opts=pulumi.ResourceOptions(provider=east))
password = random.RandomPassword("password", length=24, special=False)
database = aws.rds.Instance("db", engine="postgres", instance_class="db.r6g.xlarge", allocated_storage=100,
                            username="app", password=password.result, skip_final_snapshot=True)
cluster = eks.Cluster("cluster", vpc_id=vpc.id, subnet_ids=[s.id for s in subnets], skip_default_node_group=True,
                      authentication_mode=eks.AuthenticationMode.API, create_oidc_provider=True, version="1.36",
                      endpoint_private_access=True, endpoint_public_access=False)
opts = pulumi.ResourceOptions(provider=k8s.Provider("k8s", kubeconfig=cluster.kubeconfig_json))
space = k8s.core.v1.Namespace("apps", opts=opts)
secret = k8s.core.v1.Secret("secret", metadata={"namespace": space.metadata.name},
                            string_data={"password": password.result}, opts=opts)
settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": space.metadata.name},
                                 data={"writer": database.endpoint}, opts=opts)
release = k8s.helm.v3.Release("keda", chart="keda", version="2.20.1", namespace="keda", opts=opts)
scaled = k8s.apiextensions.CustomResource("scaled", api_version="keda.sh/v1alpha1", kind="ScaledObject",
                                          metadata={"namespace": "apps"}, spec={"maxReplicaCount": 3}, opts=opts)
pulumi.export("vpc", vpc.arn)
pulumi.export("certificate", certificate.arn)
pulumi.export("tags", certificate.tags_all)
pulumi.export("here", aws.get_region().name)
pulumi.export("there", aws.get_region(opts=pulumi.InvokeOptions(provider=east)).name)
pulumi.export("password", password.result)
pulumi.export("endpoint", database.endpoint)
pulumi.export("issuer", cluster.oidc_provider_url)
pulumi.export("api", cluster.core.endpoint)
"""


def test_a_stack_is_applied_unchanged_refreshed_changed_and_destroyed(project: Project) -> None:
    outputs = project.up(EVERYTHING)
    assert outputs["vpc"].startswith("arn:aws:ec2:us-west-2:")
    assert outputs["certificate"].startswith("arn:aws:acm:us-east-1:")
    assert outputs["tags"] == {"owner": "platform"}
    assert (outputs["here"], outputs["there"]) == ("us-west-2", "us-east-1")
    assert outputs["password"] == "[secret]"  # noqa: S105 - what the engine shows
    assert outputs["issuer"].startswith("https://oidc.eks.us-west-2.amazonaws.com/id/")

    project.ok("preview", "--expect-no-changes")
    project.ok("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.ok("preview", "--expect-no-changes")

    state = project.ok("stack", "export")
    clear = json.loads(project.ok("stack", "output", "--json", "--show-secrets"))["password"]
    assert len(clear) == 24
    assert clear not in state
    assert clear.encode() not in project.records().read_bytes()

    types = {found["urn"].rpartition("::")[0].rpartition("$")[2] for found in project.resources()}
    assert "aws:eks/addon:Addon" in types
    assert any(found.endswith("eks:index:VpcCniAddon") for found in types)

    project.ok("destroy", "--yes", "--skip-preview")
    assert project.resources() == []
    with sqlite3.connect(project.records()) as database:
        assert database.execute("select count(*) from records").fetchone() == (0,)
    database.close()


def test_a_preview_tells_an_update_from_a_replacement_and_what_it_drags_along(project: Project) -> None:
    project.up(EVERYTHING)
    assert json.loads(project.ok("preview", "--json", DNS="1"))["changeSummary"]["update"] == 1
    plan = json.loads(project.ok("preview", "--json", BLOCK="10.0.0.0/17"))
    replaced = {
        step["urn"].rpartition("::")[2]
        for step in plan["steps"]
        if step["op"] in {"replace", "create-replacement"}
    }
    assert {"main", "subnet-a", "subnet-b"} <= replaced
    assert "db" not in replaced


VPC = 'vpc = aws.ec2.Vpc("main", cidr_block=os.environ.get("BLOCK", "10.0.0.0/16"))\npulumi.export("id", vpc.id)\n'


def test_a_replacement_gets_a_new_id_and_the_old_one_goes(project: Project) -> None:
    before = project.up(VPC)["id"]
    project.ok("up", "--yes", "--skip-preview", BLOCK="10.1.0.0/16")
    after = project.outputs()["id"]
    assert before != after
    with sqlite3.connect(project.records()) as database:
        assert database.execute("select id from records").fetchall() == [(after,)]
    database.close()


REFUSED: list[tuple[str, str, str]] = [
    ("aws:ec2/vpc:Vpc", '{"cidrBlok": "10.0.0.0/16"}', "did you mean cidrBlock?"),
    ("aws:ec2/subnet:Subnet", '{"cidrBlock": "10.0.0.0/24"}', "vpcId missing: it is required"),
    ("aws:ec2/vpc:Vpc", '{"enableDnsSupport": "yes"}', "expected boolean"),
    ("aws:lambda/function:Function", '{"role": "r", "runtime": "python1.0"}', "runtime is"),
    ("aws:ec2/vpc:Vpcc", "{}", "is no resource type"),
    ("kubernetes:apps/v1:Deployment", '{"spec": {"replica": 1}}', "did you mean replicas?"),
    ("random:index/randomPassword:RandomPassword", '{"length": "x"}', "expected integer"),
]


@pytest.mark.parametrize(("token", "properties", "says"), REFUSED)
def test_a_wrong_resource_fails_the_run_and_is_named(
    project: Project, token: str, properties: str, says: str
) -> None:
    project.write(f"Raw({token!r}, 'wrong-one', {properties})\n")
    said = project.fails("preview")
    assert says in said
    assert f'stack dev, {token} "wrong-one"' in said
    assert project.resources() == []


def test_a_wrong_cluster_is_refused_by_property(project: Project) -> None:
    project.write('eks.Cluster("c", skip_default_node_group=True, version="1.36", tags={"a": 1})\n')
    said = project.fails("preview")
    assert 'stack dev, eks:index:Cluster "c"' in said
    assert "tags" in said
    project.write('eks.Cluster("c", version="1.36")\n')
    assert "does not stand in for the default group" in project.fails("preview")


def test_a_function_without_a_stand_in_fails_the_run(project: Project) -> None:
    project.write('aws.apigateway.get_key(id="x")\n')
    assert "no stand-in for function aws:apigateway/getKey:getKey" in project.fails("preview")


def test_a_refresh_finds_what_was_deleted_and_what_was_changed(project: Project) -> None:
    project.up(VPC + 'role = aws.iam.Role("reader", assume_role_policy=TRUST, description="before")\n')
    with sqlite3.connect(project.records()) as database:
        database.execute("delete from records where type = 'aws:ec2/vpc:Vpc'")
        database.execute("update records set outputs = replace(outputs, 'before', 'after')")
    database.close()
    said = project.ok("refresh", "--yes", "--skip-preview")
    assert "1 deleted" in said
    assert "1 updated" in said
    assert project.steps() == {"main": "create", "reader": "update"}


def test_a_resource_is_imported_by_its_id(project: Project) -> None:
    identity = project.up(VPC)["id"]
    project.ok("state", "delete", "--yes", _urn(project, "main"))
    project.write(VPC.replace('"main",', f'"main", opts=pulumi.ResourceOptions(import_={identity!r}),'))
    project.ok("up", "--yes", "--skip-preview")
    assert project.outputs()["id"] == identity


def _urn(project: Project, name: str) -> str:
    return next(found["urn"] for found in project.resources() if found["urn"].endswith(f"::{name}"))


def test_an_answer_that_never_arrived_leaves_no_second_resource(project: Project) -> None:
    project.write(VPC)
    said = project.fails("up", "--yes", "--skip-preview", PULUMI_LOCAL_FAULTS="lose:create .*Vpc::main")
    assert "broke before the answer" in said
    project.ok("up", "--yes", "--skip-preview")
    with sqlite3.connect(project.records()) as database:
        assert database.execute("select id from records").fetchall() == [(project.outputs()["id"],)]
    database.close()


def test_a_protected_database_takes_two_steps_to_destroy(project: Project) -> None:
    program = """
protect = os.environ.get("PROTECT", "1") == "1"
aws.rds.Instance("db", engine="postgres", instance_class="db.r6g.xlarge", allocated_storage=100, username="app",
                 password="x", skip_final_snapshot=True, deletion_protection=protect)
"""
    project.up(program)
    assert "deletionProtection is true" in project.fails("destroy", "--yes", "--skip-preview")
    project.ok("up", "--yes", "--skip-preview", PROTECT="0")
    project.ok("destroy", "--yes", "--skip-preview")
    assert project.resources() == []


def test_a_value_that_aws_does_not_take_fails_a_preview_and_is_named(project: Project) -> None:
    project.write(
        """
aws.rds.Instance("writer", engine="postgres", engine_version="17.99", instance_class="db.r6g.xlarge",
                 allocated_storage=100, username="app", manage_master_user_password=True, skip_final_snapshot=True)
"""
    )

    said = project.fails("preview")

    assert """aws:rds/instance:Instance "writer": engineVersion is '17.99'; AWS takes one of""" in said


TOPIC = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from components.partition_guard import partitions_only_grow
guard = partitions_only_grow("topics") if os.environ.get("GUARD", "1") == "1" else None
topic = aws.msk.Topic("events", cluster_arn="arn:aws:kafka:us-west-2:123456789012:cluster/a/b", name="events",
                      partition_count=int(os.environ.get("PARTITIONS", "6")), replication_factor=3,
                      opts=pulumi.ResourceOptions(hooks=guard))
pulumi.export("partitions", topic.partition_count)
"""


def test_a_topic_with_fewer_partitions_is_refused_by_the_program_and_without_it_by_the_stand_in(
    project: Project,
) -> None:
    assert project.up(TOPIC)["partitions"] == 6
    assert project.up(TOPIC, PARTITIONS="8")["partitions"] == 8

    for command in (("preview",), ("up", "--yes"), ("up", "--yes", "--skip-preview")):
        assert "topic events: 7 partitions, but it has 8" in project.fails(*command, PARTITIONS="7")
    assert project.outputs()["partitions"] == 8
    # As AWS does it: a preview plans the update, and applying it fails.
    assert "1 to update" in project.ok("preview", PARTITIONS="7", GUARD="0")
    said = project.fails("up", "--yes", "--skip-preview", PARTITIONS="7", GUARD="0")
    assert "partitionCount is 8 and can only grow; asked for 7" in said
    assert project.outputs()["partitions"] == 8
