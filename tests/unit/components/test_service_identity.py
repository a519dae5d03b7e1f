"""What a service's pods may do on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from components.service_identity import Access, PodSite, ServiceIdentity
from infra.data.kafka_access import KafkaArnError, resource_arn
from infra.model.service import Consumption, Service
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.workloads import busy_service, service
from tests.unit.recording import parsed

CLUSTER = "arn:aws:kafka:us-east-1:123456789012:cluster/parking-prod/0a1b-2"
KAFKA = "arn:aws:kafka:us-east-1:123456789012"
CREDENTIALS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:parking-prod-sample-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0000"
ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
FULL = Access(kafka_cluster_arn=CLUSTER, secret_arns={"database": CREDENTIALS}, secrets_key_arn=KEY)


def identity(of: Service, access: Access = FULL) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        component = ServiceIdentity(
            f"{of.name}-identity",
            context=context(),
            service=of,
            pods=PodSite(cluster_name="parking-prod", namespace="workloads"),
            access=access,
            opts=opts,
        )
        return {"role": component.role_arn, "association": component.association.service_account}

    return build(make)


def statements(of: Service, access: Access = FULL) -> dict[str, dict[str, Any]]:
    document = parsed(identity(of, access).recorder.one(POLICY).inputs["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_only_the_services_own_pods_get_the_role() -> None:
    role = identity(service()).recorder.one(ROLE).inputs
    (trust,) = parsed(role["assumeRolePolicy"])["Statement"]

    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert trust["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-name": "parking-prod",
        "aws:RequestTag/kubernetes-namespace": "workloads",
        "aws:RequestTag/kubernetes-service-account": "sample-service",
    }


def test_the_association_binds_the_role_to_the_service_account() -> None:
    made = identity(service())
    association = made.recorder.one(ASSOCIATION).inputs

    assert association["clusterName"] == "parking-prod"
    assert association["namespace"] == "workloads"
    assert association["serviceAccount"] == "sample-service"
    assert association["roleArn"] == made.outputs["role"]


def test_the_roles_name_is_the_regions_own_and_short_enough() -> None:
    name = identity(service("abcdefghijklmnop")).recorder.one(ROLE).inputs["name"]

    assert name == "parking-prod-use1-abcdefghijklmnop-service"
    assert len(name) <= 64


def test_everything_taggable_is_tagged() -> None:
    recorder = identity(service()).recorder

    for kind in (ROLE, ASSOCIATION):
        tags = recorder.one(kind).inputs["tags"]
        assert (tags["component"], tags["service"]) == ("ServiceIdentity", "sample")


def test_a_producer_writes_its_topics_and_no_other() -> None:
    found = statements(service(produces=("out-events",)))

    assert found["KafkaProduce"]["Action"] == ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
    assert found["KafkaProduce"]["Resource"] == [f"{KAFKA}:topic/parking-prod/0a1b-2/out-events"]
    assert found["KafkaConnect"]["Action"] == ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
    assert "KafkaConsume" not in found
    assert "KafkaGroup" not in found


def test_a_consumer_reads_its_topics_in_its_own_group() -> None:
    found = statements(service(consumption=Consumption(topics=("in-events",), consumers=2)))

    assert found["KafkaConsume"]["Action"] == ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
    assert found["KafkaConsume"]["Resource"] == [f"{KAFKA}:topic/parking-prod/0a1b-2/in-events"]
    assert found["KafkaGroup"]["Action"] == ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
    assert found["KafkaGroup"]["Resource"] == [f"{KAFKA}:group/parking-prod/0a1b-2/sample-service"]
    assert found["KafkaConnect"]["Action"] == ["kafka-cluster:Connect"]
    assert "KafkaProduce" not in found


def test_a_service_reads_its_own_secrets_with_their_key() -> None:
    found = statements(service())

    assert set(found) == {"OwnSecrets", "DecryptThem"}
    assert found["OwnSecrets"]["Resource"] == [CREDENTIALS]
    assert found["DecryptThem"]["Resource"] == [KEY]
    assert found["DecryptThem"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    }


def test_a_service_without_topics_and_secrets_may_do_nothing() -> None:
    assert identity(service(), Access()).recorder.of_type(POLICY) == []


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_no_service_has_a_wildcard(described: Service) -> None:
    for statement in statements(described).values():
        assert not any("*" in action for action in statement["Action"])
        assert not any("*" in resource for resource in statement["Resource"])


def test_topics_without_a_cluster_are_refused() -> None:
    with pytest.raises(ValueError, match="kafka_cluster_arn is missing"):
        identity(busy_service(), Access())


def test_secrets_without_their_key_are_refused() -> None:
    with pytest.raises(ValueError, match="secrets_key_arn"):
        identity(service(), Access(secret_arns={"database": CREDENTIALS}))


@pytest.mark.parametrize("arn", ["parking-prod", "arn:aws:kafka:us-east-1:1:topic/a/b/c", ""])
def test_only_a_clusters_arn_gives_a_topics(arn: str) -> None:
    with pytest.raises(KafkaArnError, match="not the ARN of an MSK cluster"):
        resource_arn(arn, kind="topic", name="a")
