"""What the engine would answer for clusters and node groups, and a cluster for components that go into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.runtime import MockResourceArgs

from components.addon_contract import AddOnTarget, AlertTopics, IngressTraffic, KafkaAccess
from infra.slo.severity import Severity
from tests.unit.components.building import AccountRecorder

CLUSTER = "eks:index:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
ENDPOINT = "https://cluster.eks.example"
AUTHORITY = "Y2VydGlmaWNhdGU="
KEY = "arn:aws:kms:us-east-1:123456789012:key/"
TOPICS = "arn:aws:sns:us-east-1:123456789012:parking-prod-alerts"
KAFKA = "arn:aws:kafka:us-east-1:123456789012:cluster/parking/one"


class ClusterRecorder(AccountRecorder):
    """Also answers for `eks.Cluster` and node groups, and keeps what Recorder does not."""

    def __init__(self) -> None:
        super().__init__()
        self.arguments: dict[tuple[str, str], MockResourceArgs] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        identifier, state = super().new_resource(args)
        self.arguments[args.typ, args.name] = args
        if args.typ == CLUSTER:
            cluster = {"server": ENDPOINT, "certificate-authority-data": AUTHORITY}
            state |= {
                "kubeconfig": {"clusters": [{"name": "kubernetes", "cluster": cluster}]},
                "clusterSecurityGroupId": "sg-cluster",
                "oidcIssuer": "https://oidc.example/id",
            }
        if args.typ == NODE_GROUP:
            state["nodeGroupName"] = f"{state['nodeGroupNamePrefix']}1"
            state["resources"] = [{"autoscalingGroups": [{"name": f"eks-{args.name}"}]}]
        return identifier, state


def target(
    *,
    nodes: Sequence[pulumi.Resource] = (),
    kafka: bool = True,
    version: str = "1.36",
    opts: pulumi.ResourceOptions | None = None,
) -> AddOnTarget:
    """A cluster for add-ons; its provider is registered."""
    return AddOnTarget(
        cluster_name="parking-prod",
        kubernetes_version=version,
        provider=kubernetes.Provider("cluster-kubernetes", kubeconfig="{}", opts=opts),
        vpc_id="vpc-1",
        ingress=IngressTraffic(
            trusted_hops=["10.0.32.0/22", "10.0.96.0/22"], drain_seconds=35, request_seconds=25
        ),
        nodes=nodes,
        disk_key_arn=f"{KEY}disk",
        secrets_key_arn=f"{KEY}secrets",
        alerts=AlertTopics(
            arns={severity: f"{TOPICS}-{severity.value}" for severity in Severity},
            key_arn=f"{KEY}notifications",
        ),
        kafka=KafkaAccess(cluster_arn=KAFKA, bootstrap_servers="b-1:9098,b-2:9098") if kafka else None,
    )
