"""What is in a cloud on this machine, asked with boto3, and what a state says should be there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import jmespath

from infra.local.cloud import running
from infra.local.providers.aws.kinds import short
from tests.engine.platform import Resource

Held = dict[str, set[str]]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """How the resources of a type are listed, by the ids that Pulumi has for them."""

    service: str
    operation: str
    path: str
    everywhere: bool = False


# Without what every account has from the beginning, and what AWS makes by itself.
_KINDS: Final[Mapping[str, _Kind]] = {
    "ec2:Vpc": _Kind(service="ec2", operation="describe_vpcs", path="Vpcs[?!IsDefault].VpcId"),
    "ec2:Subnet": _Kind(service="ec2", operation="describe_subnets", path="Subnets[?!DefaultForAz].SubnetId"),
    "ec2:SecurityGroup": _Kind(
        service="ec2",
        operation="describe_security_groups",
        path="SecurityGroups[?GroupName!='default' && !starts_with(GroupName, 'eks-cluster-sg')].GroupId",
    ),
    "ec2:InternetGateway": _Kind(
        service="ec2", operation="describe_internet_gateways", path="InternetGateways[].InternetGatewayId"
    ),
    "ec2:NatGateway": _Kind(
        service="ec2", operation="describe_nat_gateways", path="NatGateways[?State!='deleted'].NatGatewayId"
    ),
    "ec2:Eip": _Kind(service="ec2", operation="describe_addresses", path="Addresses[].AllocationId"),
    "ec2:LaunchTemplate": _Kind(
        service="ec2", operation="describe_launch_templates", path="LaunchTemplates[].LaunchTemplateId"
    ),
    "ec2:VpcEndpoint": _Kind(
        service="ec2",
        operation="describe_vpc_endpoints",
        path="VpcEndpoints[?State!='deleted'].VpcEndpointId",
    ),
    "rds:Instance": _Kind(
        service="rds", operation="describe_db_instances", path="DBInstances[].DbiResourceId"
    ),
    "elasticache:ReplicationGroup": _Kind(
        service="elasticache",
        operation="describe_replication_groups",
        path="ReplicationGroups[].ReplicationGroupId",
    ),
    "msk:Cluster": _Kind(service="kafka", operation="list_clusters", path="ClusterInfoList[].ClusterArn"),
    "lb:LoadBalancer": _Kind(
        service="elbv2", operation="describe_load_balancers", path="LoadBalancers[].LoadBalancerArn"
    ),
    "lb:TargetGroup": _Kind(
        service="elbv2", operation="describe_target_groups", path="TargetGroups[].TargetGroupArn"
    ),
    "secretsmanager:Secret": _Kind(
        service="secretsmanager", operation="list_secrets", path="SecretList[?!PrimaryRegion].ARN"
    ),
    "eks:Cluster": _Kind(service="eks", operation="list_clusters", path="clusters"),
    "ecr:Repository": _Kind(
        service="ecr", operation="describe_repositories", path="repositories[].repositoryName"
    ),
    "lambda:Function": _Kind(service="lambda", operation="list_functions", path="Functions[].FunctionName"),
    "sns:Topic": _Kind(service="sns", operation="list_topics", path="Topics[].TopicArn"),
    "cloudwatch:LogGroup": _Kind(
        service="logs", operation="describe_log_groups", path="logGroups[].logGroupName"
    ),
    "iam:Role": _Kind(service="iam", operation="list_roles", path="Roles[].RoleName", everywhere=True),
    "s3:Bucket": _Kind(service="s3", operation="list_buckets", path="Buckets[].Name", everywhere=True),
    "route53:Zone": _Kind(
        service="route53",
        operation="list_hosted_zones",
        path="HostedZones[].Id",
        everywhere=True,
    ),
}
REGIONS: Final = ("us-east-1", "eu-west-1", "us-west-2")
"""Where the stacks of this repository are."""
LISTED: Final = frozenset(_KINDS)
"""Short types that the comparison covers."""


def client(folder: Path, service: str, region: str) -> Any:
    """A client of the cloud whose state folder this is; boto3 ships without complete types."""
    found = running.find(folder)
    assert found is not None, "the cloud does not run"
    make: Callable[..., Any] = vars(boto3)["client"]
    return make(
        service,
        region_name=region,
        endpoint_url=found.url,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - of no account
    )


def in_cloud(folder: Path, regions: Iterable[str]) -> Held:
    """What the cloud holds in some regions, by short type.

    Args:
        folder: The cloud's own.
        regions: Their names.
    """
    held: Held = {}
    for name, kind in _KINDS.items():
        found: set[str] = set()
        for region in ["us-east-1"] if kind.everywhere else regions:
            asked = client(folder, kind.service, region)
            pages: Iterable[Any] = (
                asked.get_paginator(kind.operation).paginate()
                if asked.can_paginate(kind.operation)
                else [getattr(asked, kind.operation)()]
            )
            for page in pages:
                ids: list[str] = jmespath.search(kind.path, page) or []
                found |= {one.removeprefix("/hostedzone/") for one in ids}
        held[name] = found
    return held


def in_states(resources: Iterable[Resource]) -> Held:
    """What states hold of the types that the comparison covers."""
    held: Held = {name: set() for name in _KINDS}
    for resource in resources:
        if resource.type.startswith("aws:") and short(resource.type) in held:
            held[short(resource.type)].add(resource.id)
    return held


def resources_of(exported: str) -> list[Resource]:
    """The resources of an exported state."""
    return [
        Resource(
            urn=found["urn"],
            type=found["type"],
            name=found["urn"].rpartition("::")[2],
            parent=found.get("parent", ""),
            inputs=found.get("inputs", {}),
            outputs=found.get("outputs", {}),
            protect=found.get("protect", False),
            id=found.get("id", ""),
        )
        for found in json.loads(exported)["deployment"].get("resources", [])
    ]
