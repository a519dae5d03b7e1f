"""What each controller of a cluster may do in AWS: statements of IAM policies, as data.

`Resource: "*"` stands only where the action supports nothing narrower (all of EC2's, Auto Scaling's and Elastic
Load Balancing's Describe actions); the rest is bound to the cluster by tag, name or ARN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Statement = Mapping[str, Any]
_ANY = "*"
_CLUSTER_TAG = "cluster.k8s.amazonaws.com/name"
_CSI_CLUSTER_TAG = "ebs.csi.aws.com/cluster"


def _allow(
    actions: Sequence[str],
    resources: Sequence[str],
    condition: Mapping[str, Mapping[str, Any]] | None = None,
) -> Statement:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def _own_instance(cluster: str) -> Mapping[str, Mapping[str, str]]:
    """Condition: an instance that EKS launched for the cluster."""
    return {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"}}


def vpc_cni(*, region: str, cluster: str, vpc_arn: str) -> list[Statement]:
    """The VPC CNI: addresses and interfaces of this cluster's nodes (amazon-vpc-cni, scope-down policy)."""
    ec2 = f"arn:aws:ec2:{region}:*"
    own = {"StringEquals": {f"aws:ResourceTag/{_CLUSTER_TAG}": cluster}}
    interface, instance = f"{ec2}:network-interface/*", f"{ec2}:instance/*"
    subnet, group = f"{ec2}:subnet/*", f"{ec2}:security-group/*"
    moving = [
        "ec2:AttachNetworkInterface",
        "ec2:DetachNetworkInterface",
        "ec2:ModifyNetworkInterfaceAttribute",
    ]
    addressing = [
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    describing = [
        f"ec2:Describe{kind}"
        for kind in ("Instances", "Tags", "NetworkInterfaces", "InstanceTypes", "SecurityGroups", "Subnets")
    ]
    return [
        _allow(describing, [_ANY]),
        _allow(
            ["ec2:CreateTags"], [interface], {"StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"}}
        ),
        _allow(
            ["ec2:CreateNetworkInterface"],
            [interface],
            {"StringEquals": {f"aws:RequestTag/{_CLUSTER_TAG}": cluster}},
        ),
        _allow(["ec2:CreateNetworkInterface"], [subnet, group], {"ArnEquals": {"ec2:Vpc": vpc_arn}}),
        _allow([*addressing, *moving], [interface], own),
        _allow(
            moving,
            [instance],
            _own_instance(cluster),
        ),
        _allow(["ec2:ModifyNetworkInterfaceAttribute"], [group], {"ArnEquals": {"ec2:Vpc": vpc_arn}}),
    ]


def ebs_csi(*, region: str, cluster: str, key_arn: str) -> list[Statement]:
    """The EBS CSI driver: volumes and snapshots that it tagged itself, encrypted with one key."""
    ec2 = f"arn:aws:ec2:{region}:*"
    volume, instance = f"{ec2}:volume/*", f"{ec2}:instance/*"
    snapshot = f"arn:aws:ec2:{region}::snapshot/*"
    asked = {"StringEquals": {f"aws:RequestTag/{_CSI_CLUSTER_TAG}": "true"}}
    own = {"StringEquals": {f"aws:ResourceTag/{_CSI_CLUSTER_TAG}": "true"}}
    kinds = (
        "AvailabilityZones",
        "Instances",
        "InstanceTypes",
        "Snapshots",
        "Tags",
        "Volumes",
        "VolumesModifications",
        "VolumeStatus",
    )
    return [
        _allow([f"ec2:Describe{kind}" for kind in kinds], [_ANY]),
        _allow(["ec2:CreateVolume"], [volume], asked),
        _allow(["ec2:CreateVolume"], [snapshot]),
        _allow(
            ["ec2:AttachVolume", "ec2:DetachVolume", "ec2:ModifyVolume", "ec2:DeleteVolume"], [volume], own
        ),
        _allow(["ec2:AttachVolume", "ec2:DetachVolume"], [instance], _own_instance(cluster)),
        _allow(["ec2:CreateSnapshot"], [volume], own),
        _allow(["ec2:CreateSnapshot"], [snapshot], asked),
        _allow(["ec2:DeleteSnapshot"], [snapshot], own),
        _allow(
            ["ec2:CreateTags"],
            [volume, snapshot],
            {"StringEquals": {"ec2:CreateAction": ["CreateVolume", "CreateSnapshot"]}},
        ),
        _allow(["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"], [key_arn]),
        _allow(["kms:CreateGrant"], [key_arn], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ]


def load_balancer_controller(*, region: str, account: str, owner_tags: Mapping[str, str]) -> list[Statement]:
    """The load balancer controller: put pods into target groups that exist, nothing else.

    Load balancers, listeners, target groups and security groups are declared by the program, so the controller's
    far wider published policy is not needed.

    Args:
        region: Region of the cluster.
        account: Number of the account.
        owner_tags: Tags that a target group must carry to be touched.
    """
    ec2 = (
        "AvailabilityZones",
        "InternetGateways",
        "Vpcs",
        "VpcPeeringConnections",
        "Subnets",
        "RouteTables",
        "SecurityGroups",
        "Instances",
        "NetworkInterfaces",
        "Tags",
    )
    balancing = ("LoadBalancers", "TargetGroups", "TargetGroupAttributes", "TargetHealth", "Tags")
    describing = [f"ec2:Describe{kind}" for kind in ec2]
    describing += [f"elasticloadbalancing:Describe{kind}" for kind in balancing]
    return [
        _allow(describing, [_ANY]),
        _allow(
            ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            [f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/*/*"],
            {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in owner_tags.items()}},
        ),
    ]


def cluster_autoscaler(*, region: str, account: str, cluster: str) -> list[Statement]:
    """The Cluster Autoscaler: sizes of the groups that EKS tagged as this cluster's."""
    describing = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
    ]
    groups = f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/eks-*"
    return [
        _allow(describing, [_ANY]),
        _allow(["eks:DescribeNodegroup"], [f"arn:aws:eks:{region}:{account}:nodegroup/{cluster}/*/*"]),
        _allow(
            ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            [groups],
            {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}},
        ),
    ]


def external_secrets(*, region: str, account: str, name_prefix: str, key_arn: str) -> list[Statement]:
    """External Secrets: read the stack's secrets, and their key through Secrets Manager only.

    Args:
        region: Region of the secrets.
        account: Number of the account.
        name_prefix: How the names of the stack's secrets begin.
        key_arn: Customer key of the secrets.
    """
    secrets = f"arn:aws:secretsmanager:{region}:{account}:secret:{name_prefix}*"
    return [
        _allow(
            [
                "secretsmanager:GetSecretValue",
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetResourcePolicy",
                "secretsmanager:ListSecretVersionIds",
            ],
            [secrets],
        ),
        _allow(
            ["kms:Decrypt"],
            [key_arn],
            {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
        ),
    ]


def kafka_lag(*, cluster_arn: str) -> list[Statement]:
    """Whoever reads consumer lag (KEDA, the Kafka exporter): describe topics and groups, never their records.

    Args:
        cluster_arn: ARN of the MSK cluster, `arn:aws:kafka:<region>:<account>:cluster/<name>/<id>`.
    """
    topics = f"{cluster_arn.replace(':cluster/', ':topic/')}/*"
    groups = f"{cluster_arn.replace(':cluster/', ':group/')}/*"
    return [
        _allow(["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"], [cluster_arn]),
        _allow(["kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration"], [topics]),
        _allow(["kafka-cluster:DescribeGroup"], [groups]),
    ]


def alertmanager(*, topic_arns: Sequence[str], key_arn: str) -> list[Statement]:
    """Alertmanager: publish to the stack's alert topics and nowhere else.

    Args:
        topic_arns: The topics.
        key_arn: Customer key that they are encrypted with.
    """
    return [
        _allow(["sns:Publish"], list(topic_arns)),
        _allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
    ]


def grafana() -> list[Statement]:
    """Grafana: read metrics of CloudWatch, which knows no narrower resource for it."""
    return [_allow(["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"], ["*"])]
