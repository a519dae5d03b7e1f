from __future__ import annotations

import re
from typing import Any

import grpc
import pytest

from infra.local.providers import faults, wire
from infra.local.providers.store import Record, Store
from infra.local.providers.values import UNKNOWN, Map, Secret

from .conftest import Client, Connect, urn

VPC = "aws:ec2/vpc:Vpc"
ROLE = "aws:iam/role:Role"
DATABASE = "aws:rds/instance:Instance"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
TOPIC = "aws:msk/topic:Topic"
BLOCK: Map = {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}
DB: Map = {
    "engine": "postgres",
    "instanceClass": "db.r6g.xlarge",
    "allocatedStorage": 100,
    "username": "app",
    "password": Secret("hidden"),
    "skipFinalSnapshot": True,
}


def test_a_created_resource_has_ids_and_endpoints_of_the_right_shape(aws: Client) -> None:
    vpc, database = aws.create(VPC, BLOCK), aws.create(DATABASE, DB)
    assert re.fullmatch(r"vpc-[0-9a-f]{17}", vpc.id)
    assert vpc.outputs["arn"] == f"arn:aws:ec2:us-west-2:123456789012:vpc/{vpc.id}"
    assert vpc.outputs["cidrBlock"] == "10.0.0.0/16"
    assert re.fullmatch(r"db-[A-Z2-7]{26}", database.id)
    assert re.fullmatch(
        r"it-[0-9a-f]{7}\.c[0-9a-f]{11}\.us-west-2\.rds\.amazonaws\.com", str(database.outputs["address"])
    )
    assert database.outputs["endpoint"] == f"{database.outputs['address']}:5432"


SHAPES: list[tuple[str, Map, str, str]] = [
    ("aws:ec2/eip:Eip", {}, "id", r"eipalloc-[0-9a-f]{17}"),
    ("aws:ec2/natGateway:NatGateway", {"subnetId": "s"}, "id", r"nat-[0-9a-f]{17}"),
    ("aws:kms/key:Key", {}, "arn", r"arn:aws:kms:us-west-2:123456789012:key/[0-9a-f-]{36}"),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "front", "internal": True},
        "dnsName",
        r"internal-front-\d{10}\.us-west-2\.elb\.amazonaws\.com",
    ),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "front"},
        "arn",
        r"arn:aws:elasticloadbalancing:.*:loadbalancer/app/front/[0-9a-f]{16}",
    ),
    ("aws:route53/zone:Zone", {"name": "example.com"}, "id", r"Z[A-Z2-7]{20}"),
    ("aws:sns/topic:Topic", {"name": "alerts"}, "id", r"arn:aws:sns:us-west-2:123456789012:alerts"),
    (
        "aws:iam/role:Role",
        {"name": "r", "path": "/x/", "assumeRolePolicy": "{}"},
        "arn",
        r"arn:aws:iam::123456789012:role/x/r",
    ),
    (
        "aws:route53/record:Record",
        {"zoneId": "Z1", "name": "a", "type": "A", "records": ["192.0.2.1"], "ttl": 1, "setIdentifier": "us"},
        "id",
        r"Z1_a_A_us",
    ),
    (
        "aws:ecr/repository:Repository",
        {"name": "auth"},
        "repositoryUrl",
        r"123456789012\.dkr\.ecr\.us-west-2\.amazonaws\.com/auth",
    ),
    ("aws:cognito/userPool:UserPool", {}, "arn", r"arn:aws:cognito:us-west-2:123456789012:userpool/.+"),
]


@pytest.mark.parametrize(("token", "inputs", "output", "shape"), SHAPES)
def test_ids_and_names_look_like_those_of_aws(
    aws: Client, token: str, inputs: Map, output: str, shape: str
) -> None:
    made = aws.create(token, inputs)
    assert re.fullmatch(shape, made.id if output == "id" else str(made.outputs[output]))


def test_a_redis_group_has_the_endpoints_of_its_mode(aws: Client) -> None:
    token = "aws:elasticache/replicationGroup:ReplicationGroup"  # noqa: S105 - a resource type
    base: Map = {"description": "x", "engine": "valkey", "nodeType": "cache.r6g.large"}
    one = aws.create(token, {**base, "numCacheClusters": 3}, name="one").outputs
    many = aws.create(token, {**base, "numNodeGroups": 3, "replicasPerNodeGroup": 1}, name="many").outputs
    assert str(one["primaryEndpointAddress"]).startswith("master.one-")
    assert one["configurationEndpointAddress"] == ""
    assert str(many["configurationEndpointAddress"]).startswith("clustercfg.many-")
    assert many["primaryEndpointAddress"] == ""
    assert isinstance(many["memberClusters"], list)
    assert len(many["memberClusters"]) == 6


def test_ids_are_stable_per_stack_and_generation(connect: Connect) -> None:
    dev, prod = connect("aws", stack="dev"), connect("aws", stack="prod")
    first, other = dev.create(VPC, BLOCK), prod.create(VPC, BLOCK)
    assert first.id != other.id
    dev.delete(VPC, first)
    again = dev.create(VPC, BLOCK)
    assert again.id != first.id


def test_everything_the_sdk_promises_has_a_value(aws: Client) -> None:
    from infra.local.providers import sdk  # noqa: PLC0415

    schema = sdk.schema("aws:cloudfront/distribution:Distribution")
    assert schema is not None
    origin: Map = {"domainName": "a.example.com", "originId": "o"}
    behaviour: Map = {
        "allowedMethods": ["GET"],
        "cachedMethods": ["GET"],
        "targetOriginId": "o",
        "viewerProtocolPolicy": "https-only",
    }
    made = aws.create(
        schema.token,
        {
            "enabled": True,
            "origins": [origin],
            "defaultCacheBehavior": behaviour,
            "restrictions": {"geoRestriction": {"restrictionType": "none"}},
            "viewerCertificate": {"cloudfrontDefaultCertificate": True},
        },
    )
    assert [
        name for name, found in schema.outputs.items() if not found.optional and name not in made.outputs
    ] == []
    assert re.fullmatch(r"E[A-Z2-7]{13}", made.id)
    assert str(made.outputs["domainName"]).endswith(".cloudfront.net")


def test_a_preview_knows_inputs_and_region_but_no_ids(aws: Client) -> None:
    planned = aws.create(VPC, BLOCK, preview=True)
    assert planned.id == ""
    assert planned.outputs["cidrBlock"] == "10.0.0.0/16"
    assert planned.outputs["region"] == "us-west-2"
    assert planned.outputs["tagsAll"] == {"a": "b"}
    assert planned.outputs["arn"] is UNKNOWN


def test_a_preview_of_an_update_knows_what_stays(aws: Client) -> None:
    made = aws.create(TEMPLATE, {"name": "nodes"})
    planned = aws.update(TEMPLATE, made, {"name": "nodes", "imageId": "ami-1"}, preview=True)
    assert planned.outputs["arn"] == made.outputs["arn"]
    assert planned.outputs["latestVersion"] is UNKNOWN


def test_an_update_moves_versions_on_and_keeps_the_rest(aws: Client) -> None:
    made = aws.create(TEMPLATE, {"name": "nodes"})
    changed = aws.update(TEMPLATE, made, {"name": "nodes", "imageId": "ami-1"})
    assert (made.outputs["latestVersion"], changed.outputs["latestVersion"]) == (1, 2)
    assert changed.outputs["defaultVersion"] == 1
    assert changed.outputs["imageId"] == "ami-1"
    assert changed.outputs["arn"] == made.outputs["arn"]


def test_partitions_of_a_topic_grow_but_never_shrink(aws: Client) -> None:
    topic = {"clusterArn": "arn:aws:kafka:us-west-2:1:cluster/a/b", "name": "events", "replicationFactor": 3}
    made = aws.create(TOPIC, {**topic, "partitionCount": 6})
    grown = aws.update(TOPIC, made, {**topic, "partitionCount": 8})
    assert grown.outputs["partitionCount"] == 8

    with pytest.raises(grpc.RpcError, match="partitionCount is 8 and can only grow; asked for 7"):
        aws.update(TOPIC, grown, {**topic, "partitionCount": 7})


def test_an_input_that_is_dropped_falls_back_to_what_aws_computes(aws: Client) -> None:
    made = aws.create(VPC, {**BLOCK, "enableDnsHostnames": True})
    changed = aws.update(VPC, made, BLOCK)
    assert changed.outputs["enableDnsHostnames"] is False


def test_regions_are_kept_apart_by_connection_and_by_resource(connect: Connect) -> None:
    west, east = connect("aws", {"region": "us-west-2"}), connect("aws", {"region": "us-east-1"})
    assert str(west.create(VPC, BLOCK, name="w").outputs["arn"]).startswith("arn:aws:ec2:us-west-2:")
    assert str(east.create(VPC, BLOCK, name="e").outputs["arn"]).startswith("arn:aws:ec2:us-east-1:")
    own = west.create(VPC, {**BLOCK, "region": "eu-west-1"}, name="own")
    assert str(own.outputs["arn"]).startswith("arn:aws:ec2:eu-west-1:")
    assert own.outputs["region"] == "eu-west-1"
    assert west.invoke("aws:index/getRegion:getRegion", {})["name"] == "us-west-2"
    assert east.invoke("aws:index/getRegion:getRegion", {})["name"] == "us-east-1"


def test_default_tags_of_the_provider_are_in_all_tags(connect: Connect) -> None:
    tagged = connect(
        "aws", {"region": "us-west-2", "defaultTags": '{"tags": {"owner": "platform", "a": "x"}}'}
    )
    assert tagged.create(VPC, BLOCK).outputs["tagsAll"] == {"owner": "platform", "a": "b"}


def test_a_refresh_finds_an_unchanged_resource_unchanged(aws: Client) -> None:
    made = aws.create(DATABASE, DB)
    found = aws.read(DATABASE, made)
    assert (found.id, found.outputs, found.inputs) == (made.id, made.outputs, made.inputs)


def test_a_refresh_finds_a_removed_resource_gone(aws: Client, store: Store) -> None:
    made = aws.create(VPC, BLOCK)
    store.remove(urn(VPC, "it"), made.id)
    found = aws.read(VPC, made)
    assert (found.id, found.outputs) == ("", {})


def test_a_refresh_shows_what_was_edited_behind_its_back(aws: Client, store: Store) -> None:
    made = aws.create(VPC, BLOCK)
    record = store.find(urn(VPC, "it"), made.id)
    assert record is not None
    edited: Map = {**record.outputs, "tags": {"a": "changed"}}
    store.put(
        Record(record.urn, record.id, record.generation, known=True, inputs=record.inputs, outputs=edited)
    )
    found = aws.read(VPC, made)
    assert found.outputs["tags"] == {"a": "changed"}
    assert found.inputs["tags"] == {"a": "changed"}
    assert set(aws.diff(VPC, found.inputs, made.inputs).detailedDiff) == {"tags.a"}


def test_an_import_finds_a_resource_by_its_id_alone(aws: Client) -> None:
    made = aws.create(VPC, BLOCK, name="first")
    found = aws.read(VPC, made, name="imported", blank=True)
    assert found.id == made.id
    assert found.inputs["cidrBlock"] == "10.0.0.0/16"
    assert aws.read(ROLE, made, name="imported", blank=True).id == ""


def test_a_renamed_resource_keeps_its_record(aws: Client, store: Store) -> None:
    made = aws.create(VPC, BLOCK, name="old")
    aws.update(VPC, made, BLOCK, name="new")
    assert [record.urn for record in store.all()] == [urn(VPC, "new")]
    aws.delete(VPC, made, name="new")
    assert store.all() == []


def test_deleting_what_is_gone_already_is_no_error(aws: Client) -> None:
    made = aws.create(VPC, BLOCK)
    aws.delete(VPC, made)
    aws.delete(VPC, made)
    assert aws.read(VPC, made).id == ""


def test_updating_what_is_gone_says_so(aws: Client) -> None:
    made = aws.create(VPC, BLOCK)
    aws.delete(VPC, made)
    with pytest.raises(grpc.RpcError, match="run `refresh`"):
        aws.update(VPC, made, BLOCK)


def test_a_protected_resource_is_not_deleted_until_it_is_unprotected(aws: Client) -> None:
    made = aws.create(DATABASE, {**DB, "deletionProtection": True})
    with pytest.raises(grpc.RpcError, match="deletionProtection is true"):
        aws.delete(DATABASE, made)
    assert aws.read(DATABASE, made).id == made.id
    changed = aws.update(DATABASE, made, {**DB, "deletionProtection": False})
    aws.delete(DATABASE, changed)
    assert aws.read(DATABASE, made).id == ""


def test_a_database_is_not_deleted_without_its_last_snapshot(aws: Client) -> None:
    made = aws.create(DATABASE, {**DB, "skipFinalSnapshot": False})
    with pytest.raises(grpc.RpcError, match="finalSnapshotIdentifier is required"):
        aws.delete(DATABASE, made)
    changed = aws.update(
        DATABASE, made, {**DB, "skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"}
    )
    aws.delete(DATABASE, changed)
    assert aws.read(DATABASE, made).id == ""


def test_what_aws_reads_off_other_resources_is_read_off_their_records(aws: Client) -> None:
    vpc = aws.create(VPC, BLOCK)
    subnet = aws.create("aws:ec2/subnet:Subnet", {"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
    cluster = aws.create(
        "aws:eks/cluster:Cluster", {"name": "c", "roleArn": "arn", "vpcConfig": {"subnetIds": [subnet.id]}}
    )
    network = cluster.outputs["vpcConfig"]
    assert isinstance(network, dict)
    assert network["vpcId"] == vpc.id
    source = aws.create(DATABASE, {**DB, "dbName": "parking"}, name="source")
    replica: Map = {"instanceClass": "db.r6g.xlarge", "replicateSourceDb": source.outputs["identifier"]}
    follower = aws.create(DATABASE, {**replica, "skipFinalSnapshot": True}, name="replica")
    assert follower.outputs["dbName"] == "parking"
    assert follower.outputs["engine"] == "postgres"
    far: Map = {**replica, "replicateSourceDb": source.outputs["arn"], "skipFinalSnapshot": True}
    assert aws.create(DATABASE, far, name="far").outputs["username"] == "app"


def test_a_component_without_a_stand_in_is_named(connect: Connect) -> None:
    pb: Any = wire.provider_pb2
    request = pb.ConstructRequest(stack="dev", type="kubernetes:helm.sh/v4:Chart", name="keda")
    with pytest.raises(grpc.RpcError, match=r'stack dev, kubernetes:helm\.sh/v4:Chart "keda"'):
        connect("kubernetes").stub.Construct(request)


def test_secret_inputs_and_known_secret_outputs_stay_secret(aws: Client) -> None:
    assert aws.create(DATABASE, DB).outputs["password"] == Secret("hidden")
    assert aws.create(DATABASE, {**DB, "password": "plain"}, name="b").outputs["password"] == Secret("plain")
    key = aws.create("aws:iam/accessKey:AccessKey", {"user": "u"})
    assert isinstance(key.outputs["secret"], Secret)
    version = aws.create(
        "aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "arn", "secretString": "plain"}
    )
    assert version.outputs["secretString"] == Secret("plain")


def test_faults_are_injected_where_they_are_asked_for(connect: Connect, store: Store) -> None:
    rules = faults.parse(
        {faults.VARIABLE: "fail:create .*::bad$;throttle:create .*::busy$;lose:create .*::lost$"}
    )
    client = connect("aws", rules=rules)
    for name, says in (
        ("bad", "injected"),
        ("busy", "ThrottlingException"),
        ("lost", "broke before the answer"),
    ):
        with pytest.raises(grpc.RpcError, match=says):
            client.create(VPC, BLOCK, name=name)
    client.create(VPC, BLOCK, name="good")
    assert [record.urn.rpartition("::")[2] for record in store.all()] == ["good", "lost"]


def test_a_share_is_struck_and_a_seed_chooses_which() -> None:
    def struck(rule: str) -> list[int]:
        rules = faults.parse({faults.VARIABLE: rule})
        return [n for n in range(1000) if faults.action_for(rules, "create", urn(VPC, f"it-{n}")) == "fail"]

    some = struck("fail%20@7:create")
    assert 150 < len(some) < 250
    assert struck("fail%20@7:create") == some
    assert struck("fail%20@8:create") != some
    assert struck("fail%0@7:create") == []
    assert len(struck("fail%100@7:create")) == 1000
    assert struck("fail%100@7:delete") == []


@pytest.mark.parametrize("rule", ["explode:x", "fail", "fail:", "fail%20:x", "fail%101@1:x", "fail%x@1:x"])
def test_a_fault_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="ACTION:REGEX"):
        faults.parse({faults.VARIABLE: rule})


def test_the_protocol_is_agreed_on_at_the_handshake(aws: Client) -> None:
    pb: Any = wire.provider_pb2
    answer = aws.stub.Handshake(pb.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert answer.accept_secrets
    assert not answer.accept_resources
