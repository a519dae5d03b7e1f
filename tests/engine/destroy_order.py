"""What must be gone before what, so that a destroy leaves nothing behind in the account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.engine.events import Done

BINDING = "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding"
NAMESPACE = "kubernetes:core/v1:Namespace"
RELEASE = "kubernetes:helm.sh/v3:Release"
WORKLOAD = "kubernetes:apps/v1:Deployment"
ADD_ON = "aws:eks/addon:Addon"
NODES = "aws:eks/nodeGroup:NodeGroup"
CLUSTER = "aws:eks/cluster:Cluster"


@dataclass(frozen=True, kw_only=True)
class Before:
    """One pair.

    Attributes:
        first: Type and logical name (a regular expression) of what goes first.
        then: The same of what goes after all of these are gone.
        why: What would be left behind otherwise.
    """

    first: tuple[str, str]
    then: tuple[str, str]
    why: str


ORDER = (
    Before(
        first=(BINDING, ".*"),
        then=(RELEASE, ".*-aws-load-balancer-controller"),
        why="the controller takes the targets out and removes the binding's finalizer",
    ),
    Before(
        first=(BINDING, ".*"),
        then=("aws:lb/targetGroup:TargetGroup", ".*"),
        why="AWS refuses to delete a target group in use",
    ),
    Before(
        first=(NAMESPACE, ".*"),
        then=(ADD_ON, ".*-aws-ebs-csi-driver"),
        why="the driver deletes the claims' disks",
    ),
    Before(
        first=(RELEASE, ".*"),
        then=(ADD_ON, ".*-aws-ebs-csi-driver"),
        why="the driver detaches the pods' disks",
    ),
    Before(
        first=(WORKLOAD, ".*"),
        then=(NODES, ".*"),
        why="a pod that is deleted in order gives up what it holds",
    ),
    Before(first=(RELEASE, ".*"), then=(NODES, ".*"), why="hooks of a chart run on nodes"),
    Before(first=(ADD_ON, ".*-aws-ebs-csi-driver"), then=(NODES, ".*"), why="the driver runs on nodes"),
    Before(
        first=(NODES, ".*"),
        then=(ADD_ON, ".*-vpc-cni"),
        why="the CNI gives the nodes' network interfaces back",
    ),
    Before(
        first=(NODES, ".*"),
        then=("aws:iam/rolePolicyAttachment:RolePolicyAttachment", ".*-AmazonEKSWorkerNodePolicy"),
        why="nodes without rights cannot leave the cluster",
    ),
    Before(
        first=(NODES, ".*"), then=(CLUSTER, ".*"), why="EKS refuses to delete a cluster that has node groups"
    ),
    Before(
        first=("aws:lb/loadBalancer:LoadBalancer", ".*"),
        then=("aws:ec2/subnet:Subnet", ".*"),
        why="its network interfaces hold the subnets",
    ),
    Before(first=(CLUSTER, ".*"), then=("aws:ec2/subnet:Subnet", ".*"), why="so do the control plane's"),
    Before(
        first=("aws:rds/instance:Instance", ".*"),
        then=("aws:rds/subnetGroup:SubnetGroup", ".*"),
        why="RDS refuses to delete a group in use",
    ),
    Before(
        first=("aws:rds/instance:Instance", "database-reader-1"),
        then=("aws:rds/instance:Instance", "database-head"),
        why="a source without its replicas stops them where they are",
    ),
    Before(
        first=("aws:route53/record:Record", "edge-.*"),
        then=("aws:route53/zone:Zone", "zone"),
        why="Route 53 refuses to delete a zone that has records",
    ),
    Before(
        first=("aws:rds/instance:Instance", ".*"),
        then=("aws:kms/key:Key", ".*"),
        why="the last snapshot is written under the key",
    ),
)


def broken(done: Sequence[Done]) -> list[str]:
    """Every pair in another order, or of which a side is missing."""
    deleted = [one for one in done if one.operation == "delete"]
    found: list[str] = []
    for pair in ORDER:
        first, then = (_of(deleted, *side) for side in (pair.first, pair.then))
        if not first or not then:
            found.append(f"nothing is deleted that is {pair.first if not first else pair.then}")
            continue
        last, next_one = max(first, key=lambda one: one.ended), min(then, key=lambda one: one.began)
        if last.ended > next_one.began:
            found.append(f"{next_one.name} goes before {last.name}, but {pair.why}")
    return found


def _of(deleted: Sequence[Done], kind: str, name: str) -> list[Done]:
    return [one for one in deleted if one.type == kind and re.fullmatch(name, one.name)]
