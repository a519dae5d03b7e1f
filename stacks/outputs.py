"""What a stack offers to people and other stacks: every output with its type and meaning, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """One stack output.

    Attributes:
        name: Name as `pulumi stack output` shows it.
        type: Its type, in JSON's words.
        meaning: What it is, for people.
        secret: Whether Pulumi keeps it encrypted and hides it.
        edge_only: Only a stack that owns the edge has it.
    """

    name: str
    type: str
    meaning: str
    secret: bool = False
    edge_only: bool = False


OUTPUTS = (
    OutputSpec(name="region", type="string", meaning="AWS region of the stack"),
    OutputSpec(name="role", type="string", meaning="`primary` or `secondary`: who holds the database writer"),
    OutputSpec(name="vpcId", type="string", meaning="VPC of the region"),
    OutputSpec(name="vpcCidr", type="string", meaning="its range"),
    OutputSpec(name="natPublicIps", type="array", meaning="addresses that outgoing traffic comes from"),
    OutputSpec(name="clusterName", type="string", meaning="EKS cluster, for `aws eks update-kubeconfig`"),
    OutputSpec(name="clusterEndpoint", type="string", meaning="URL of the Kubernetes API"),
    OutputSpec(name="kubeconfig", type="string", meaning="kubeconfig of the cluster, as JSON", secret=True),
    OutputSpec(
        name="registryHost", type="string", meaning="registry that the services' images are pulled from"
    ),
    OutputSpec(name="repositoryUrls", type="object", meaning="image repository of each service"),
    OutputSpec(name="loadBalancerDnsName", type="string", meaning="DNS name of the region's ALB"),
    OutputSpec(
        name="targetGroupArns", type="object", meaning="target group of each service, for TargetGroupBinding"
    ),
    OutputSpec(
        name="databaseWriterEndpoint",
        type="string",
        meaning="name that follows the PostgreSQL writer, the same in every region",
    ),
    OutputSpec(
        name="databaseEndpoint",
        type="string",
        meaning="host of the region's own head: writer or recovery replica",
    ),
    OutputSpec(name="databaseReaderEndpoints", type="array", meaning="hosts of the region's readers"),
    OutputSpec(
        name="databaseSecretArn",
        type="string",
        meaning="the region's Secrets Manager secret with the writer's credentials",
    ),
    OutputSpec(
        name="databasePasswords",
        type="object",
        meaning="first password of each database role, the owner's included, for regions made later; rotated since",
        secret=True,
    ),
    OutputSpec(name="cacheEndpoints", type="object", meaning="configuration endpoint of each Redis store"),
    OutputSpec(
        name="kafkaBootstrapBrokers", type="string", meaning="brokers, for IAM authentication over TLS"
    ),
    OutputSpec(
        name="alertTopicArns",
        type="object",
        meaning="SNS topic of each severity, `critical` and `warning`, for more listeners",
    ),
    OutputSpec(
        name="contract", type="object", meaning="what other regions need, versioned (`stacks/contract.py`)"
    ),
    OutputSpec(
        name="originSecrets",
        type="array",
        meaning="header values by which load balancers know CloudFront: previous, current, next",
        secret=True,
        edge_only=True,
    ),
    OutputSpec(name="apiUrl", type="string", meaning="public address of the API", edge_only=True),
    OutputSpec(
        name="nameServers",
        type="array",
        meaning="name servers to delegate the domain to",
        edge_only=True,
    ),
)
"""Every output; a stack that exports another set fails."""


def export(values: Mapping[str, object], *, edge: bool) -> None:
    """Export a stack's outputs.

    Args:
        values: Value by output name.
        edge: Whether the stack owns the edge.

    Raises:
        ValueError: When an output is missing or not in the table.
    """
    expected = {spec.name: spec for spec in OUTPUTS if edge or not spec.edge_only}
    if set(values) != set(expected):
        raise ValueError(
            f"outputs differ from stacks/outputs.py: missing {sorted(set(expected) - set(values))}, "
            f"unknown {sorted(set(values) - set(expected))}"
        )
    for name, value in values.items():
        pulumi.export(name, pulumi.Output.secret(value) if expected[name].secret else value)
