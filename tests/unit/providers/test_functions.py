from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from infra.local.providers.values import Map, Secret

from .conftest import Client, Connect


def token(module: str, name: str) -> str:
    return f"aws:{module}/{name}:{name}"


@pytest.mark.parametrize(
    ("region", "zones", "first"),
    [
        ("us-east-1", 6, "use1-az1"),
        ("us-west-2", 4, "usw2-az1"),
        ("eu-west-1", 3, "euw1-az1"),
        ("ap-southeast-2", 3, "apse2-az1"),
    ],
)
def test_zones_are_those_of_the_region(connect: Connect, region: str, zones: int, first: str) -> None:
    found = connect("aws", {"region": region}).invoke(
        token("index", "getAvailabilityZones"), {"state": "available"}
    )
    names, ids = found["names"], found["zoneIds"]
    assert isinstance(names, list)
    assert isinstance(ids, list)
    assert (len(names), names[0], ids[0]) == (zones, f"{region}a", first)


def test_identity_and_partition_are_constant(aws: Client) -> None:
    assert aws.invoke(token("index", "getCallerIdentity"), {})["accountId"] == "123456789012"
    assert aws.invoke(token("index", "getPartition"), {})["dnsSuffix"] == "amazonaws.com"


def test_managed_policies_of_cloudfront_have_their_well_known_ids(aws: Client) -> None:
    cache = aws.invoke(token("cloudfront", "getCachePolicy"), {"name": "Managed-CachingOptimized"})
    assert cache["id"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"
    viewer = aws.invoke(token("cloudfront", "getOriginRequestPolicy"), {"name": "Managed-AllViewer"})
    assert viewer["id"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    with pytest.raises(grpc.RpcError, match="Managed-CachingOptimized"):
        aws.invoke(token("cloudfront", "getCachePolicy"), {"name": "Managed-Cache"})


def test_prefix_lists_exist_by_name_only_if_aws_has_them(aws: Client) -> None:
    name = "com.amazonaws.global.cloudfront.origin-facing"
    assert str(aws.invoke(token("ec2", "getManagedPrefixList"), {"name": name})["id"]).startswith("pl-")
    checks = aws.invoke(
        token("ec2", "getManagedPrefixList"), {"name": "com.amazonaws.us-west-2.route53-healthchecks"}
    )
    assert str(checks["id"]).startswith("pl-")
    with pytest.raises(grpc.RpcError, match="no prefix list"):
        aws.invoke(token("ec2", "getManagedPrefixList"), {"name": "com.amazonaws.global.cloudfront"})


def test_image_parameters_of_eks_answer_with_an_image(aws: Client) -> None:
    name = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/x86_64/standard/recommended/image_id"
    value = aws.invoke(token("ssm", "getParameter"), {"name": name})["value"]
    assert isinstance(value, Secret)
    assert str(value.value).startswith("ami-")
    with pytest.raises(grpc.RpcError, match="ParameterNotFound"):
        aws.invoke(token("ssm", "getParameter"), {"name": "/mine"})


def test_tokens_are_secret(aws: Client) -> None:
    assert isinstance(aws.invoke(token("eks", "getClusterAuth"), {"name": "c"})["token"], Secret)
    assert isinstance(aws.invoke(token("ecr", "getAuthorizationToken"), {})["password"], Secret)


def test_addon_versions_are_known_for_the_addons_of_eks(aws: Client) -> None:
    arguments: Map = {"addonName": "kube-proxy", "kubernetesVersion": "1.36", "mostRecent": True}
    assert str(aws.invoke(token("eks", "getAddonVersion"), arguments)["version"]).startswith("v1.36.")
    with pytest.raises(grpc.RpcError, match="no EKS add-on 'vpc_cni'"):
        aws.invoke(token("eks", "getAddonVersion"), {**arguments, "addonName": "vpc_cni"})


def test_a_function_without_a_stand_in_is_named(aws: Client) -> None:
    with pytest.raises(grpc.RpcError, match="no stand-in for function aws:apigateway/getKey:getKey"):
        aws.invoke(token("apigateway", "getKey"), {"id": "x"})


def test_arguments_are_checked_by_the_sdk(aws: Client) -> None:
    with pytest.raises(AssertionError, match="did you mean name"):
        aws.invoke(token("eks", "getCluster"), {"name": "c", "nam": "x"})
    with pytest.raises(AssertionError, match="missing"):
        aws.invoke(token("eks", "getCluster"), {})


def test_everything_the_sdk_promises_is_in_the_answer(aws: Client) -> None:
    found = aws.invoke(token("eks", "getCluster"), {"name": "c"})
    assert {"endpoint", "certificateAuthorities", "vpcConfig", "platformVersion", "tags"} <= set(found)


STATEMENT: Map = {
    "sid": "Read",
    "actions": ["s3:ListBucket", "s3:GetObject"],
    "resources": ["arn:aws:s3:::a"],
    "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
    "conditions": [{"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["1"]}],
}


def document(aws: Client, arguments: Map) -> Any:
    return json.loads(str(aws.invoke(token("iam", "getPolicyDocument"), arguments)["json"]))


def test_policy_documents_are_rendered(aws: Client) -> None:
    assert document(aws, {"statements": [STATEMENT]}) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetObject"],
                "Resource": "arn:aws:s3:::a",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:SourceAccount": "1"}},
            }
        ],
    }


def test_source_documents_are_merged_by_sid(aws: Client) -> None:
    source = json.dumps({"Statement": [{"Sid": "Read", "Effect": "Deny", "Action": "*", "Resource": "*"}]})
    override: Map = {"sourcePolicyDocuments": [source], "statements": [STATEMENT]}
    merged = document(aws, override)
    assert [found["Effect"] for found in merged["Statement"]] == ["Allow"]
    with pytest.raises(grpc.RpcError, match="duplicate Sid"):
        document(aws, {"statements": [STATEMENT, STATEMENT]})
