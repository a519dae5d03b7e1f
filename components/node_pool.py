"""Node pools: managed node groups with launch templates, and the role their nodes run with."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.cluster.pools import GroupPlan, PoolShape, max_pods, split
from infra.model.stack import PoolSettings
from infra.naming import StackContext, fit

_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
_SESSION_MANAGER_POLICY = "AmazonSSMManagedInstanceCore"
_ROOT_DEVICE = "/dev/xvda"
_NAME_PREFIX_LIMIT = 36
"""EKS takes 63 characters; the engine's suffix has 26 and one is the hyphen before it."""
_TAGGED_BY_TEMPLATE = ("instance", "volume", "network-interface")


class NodeRole(Component):
    """The role of every node: join the cluster and pull images, nothing else.

    The CNI and every controller have roles of their own by Pod Identity. EKS makes the access entry of a role
    that a managed node group uses.

    Args:
        name: Logical name, e.g. `nodes`.
        context: Names, tags and protection of the stack.
        session_manager: Also allow shells through SSM Session Manager. Off by default.
        opts: Options of the component.

    Outputs:
        arn: ARN of the role, ordered after its policies.

    Raises:
        infra.naming.NamingError: When a required tag is empty.
    """

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        session_manager: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("NodeRole", name, context=context, opts=opts)
        role = self._create_role()
        policies = (*_NODE_POLICIES, _SESSION_MANAGER_POLICY) if session_manager else _NODE_POLICIES
        attached = [self._attach(role, policy) for policy in policies]
        # Nodes made before the policies are attached cannot join, hence the ARN waits for them.
        self.arn = pulumi.Output.all(role.arn, *(item.id for item in attached)).apply(_first)
        self.register_outputs({"arn": self.arn})

    def _create_role(self) -> aws.iam.Role:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
            ],
        }
        return aws.iam.Role(
            self._name,
            name=self.context.global_name("node", limit=64),
            assume_role_policy=json.dumps(trust),
            tags=self.tags(),
            opts=self.child(),
        )

    def _attach(self, role: aws.iam.Role, policy: str) -> aws.iam.RolePolicyAttachment:
        return aws.iam.RolePolicyAttachment(
            f"{self._name}-{policy}",
            role=role.name,
            policy_arn=f"arn:aws:iam::aws:policy/{policy}",
            opts=self.child(),
        )


def _first(values: Sequence[str]) -> str:
    return values[0]


@dataclass(frozen=True, kw_only=True)
class NodeEnvironment:
    """What all pools of a cluster share.

    Attributes:
        cluster_name: Name of the cluster.
        kubernetes_version: Minor version of the nodes, e.g. `1.36`.
        subnet_ids: Private subnets, one a zone.
        security_group_ids: Groups of every node; must hold the cluster's own group.
        role_arn: Role of the nodes.
        disk_key_arn: Customer key of the root volumes.
        after: Resources that nodes need to become Ready: the CNI, kube-proxy, the Pod Identity agent.
    """

    cluster_name: pulumi.Input[str]
    kubernetes_version: str
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    security_group_ids: Sequence[pulumi.Input[str]]
    role_arn: pulumi.Input[str]
    disk_key_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()


def node_user_data(pods: int) -> str:
    """User data, base64 in MIME, that tells an AL2023 node how many pods it takes.

    EKS merges it with its own. Without it a managed group reckons without prefix delegation.

    Args:
        pods: Most pods a node takes.
    """
    config = (
        "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    config:\n"
        f"      maxPods: {pods}\n"
    )
    document = (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="node-config"\n\n'
        f"--node-config\nContent-Type: application/node.eks.aws\n\n{config}\n--node-config--\n"
    )
    return base64.b64encode(document.encode()).decode()


def node_template_tags(shape: PoolShape, group: GroupPlan) -> dict[str, str]:
    """Tags by which the Cluster Autoscaler knows what a node of an empty group would look like.

    Args:
        shape: Labels, taints and devices of the pool.
        group: The group; its capacity is a label.
    """
    prefix = "k8s.io/cluster-autoscaler/node-template"
    labels = {f"{prefix}/label/{key}": value for key, value in shape.node_labels(group.capacity).items()}
    taints = {f"{prefix}/taint/{taint.key}": f"{taint.value}:NoSchedule" for taint in shape.taints}
    devices = {f"{prefix}/resources/{key}": str(count) for key, count in shape.devices.items()}
    return {**labels, **taints, **devices}


class NodePool(Component):
    """A pool of nodes: an on-demand group and, where the share gives at least one node, a spot group.

    EKS has one capacity type a group, hence two groups whose bounds keep the spot share at minimum, start and
    maximum (see `infra.cluster.pools.split`). The desired size belongs to the Cluster Autoscaler after creation. A
    replacement is made, with a new name, before the old group drains.

    Numbers: sizes, types and the 30% share are the specification's, in `infra.model.stack.PoolsSettings`; IMDSv2
    with one hop keeps pods from the node's role.

    Args:
        name: Logical name and name of the groups, e.g. `application`.
        context: Names, tags and protection of the stack.
        shape: Labels, taints, AMI type and devices of the nodes (`infra.cluster.pools.SHAPES`).
        settings: Sizes in nodes, instance types, spot share, root disk in GiB, update and repair.
        nodes: Cluster, subnets, role and key that all pools share.
        opts: Options of the component.

    Outputs:
        node_groups: The node groups, on-demand first; what needs nodes waits for these.
        node_group_names: Their physical names.

    Raises:
        infra.cluster.pools.PoolError: When the settings cannot be divided in two groups.
        infra.naming.NamingError: When a required tag is empty.
    """

    node_groups: tuple[aws.eks.NodeGroup, ...]
    node_group_names: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        shape: PoolShape,
        settings: PoolSettings,
        nodes: NodeEnvironment,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("NodePool", name, context=context, opts=opts)
        self._shape = shape
        self._nodes = nodes
        self._settings = settings
        self.node_groups = tuple(self._create_group(group, settings.disk_gib) for group in split(settings))
        self.node_group_names = pulumi.Output.all(*(group.node_group_name for group in self.node_groups))
        self.register_outputs({"nodeGroupNames": self.node_group_names})

    def _create_group(self, group: GroupPlan, disk_gib: int) -> aws.eks.NodeGroup:
        name = f"{self._name}-{group.capacity.value}"
        template = self._create_launch_template(name, group, disk_gib)
        node_group = self._create_node_group(name, group, template)
        self._create_autoscaler_tags(name, group, node_group)
        return node_group

    def _node_tags(self, group: GroupPlan) -> Mapping[str, str]:
        return self.tags(
            Name=self.context.name(self._name, group.capacity.value),
            **{
                "pool": self._shape.name.value,
                # The CNI's role may only touch network interfaces that carry this.
                "cluster.k8s.amazonaws.com/name": self.context.name(),
            },
        )

    def _create_launch_template(self, name: str, group: GroupPlan, disk_gib: int) -> aws.ec2.LaunchTemplate:
        disk = aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            volume_type="gp3",
            volume_size=disk_gib,
            encrypted="true",
            kms_key_id=self._nodes.disk_key_arn,
            delete_on_termination="true",
        )
        node_tags = self._node_tags(group)
        return aws.ec2.LaunchTemplate(
            name,
            name_prefix=f"{self.context.name(name, limit=100)}-",
            update_default_version=True,
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name=_ROOT_DEVICE, ebs=disk)
            ],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            monitoring=aws.ec2.LaunchTemplateMonitoringArgs(enabled=True),
            vpc_security_group_ids=self._nodes.security_group_ids,
            user_data=node_user_data(max_pods(group.instance_types)),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=node_tags)
                for kind in _TAGGED_BY_TEMPLATE
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_node_group(
        self, name: str, group: GroupPlan, template: aws.ec2.LaunchTemplate
    ) -> aws.eks.NodeGroup:
        nodes, shape = self._nodes, self._shape
        return aws.eks.NodeGroup(
            name,
            cluster_name=nodes.cluster_name,
            # A prefix, so that a replacement has a free name and stands before the old group drains.
            node_group_name_prefix=f"{fit(name, limit=_NAME_PREFIX_LIMIT)}-",
            node_role_arn=nodes.role_arn,
            subnet_ids=nodes.subnet_ids,
            version=nodes.kubernetes_version,
            ami_type=shape.ami_type,
            capacity_type=group.capacity.eks_type,
            instance_types=list(group.instance_types),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=group.min_size, desired_size=group.start_size, max_size=group.max_size
            ),
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            labels=shape.node_labels(group.capacity),
            taints=[
                aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value, effect="NO_SCHEDULE")
                for taint in shape.taints
            ],
            update_config=aws.eks.NodeGroupUpdateConfigArgs(
                max_unavailable_percentage=self._settings.max_unavailable_percent
            ),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=self._settings.node_repair),
            tags=self.tags(pool=shape.name.value),
            opts=self.child(
                # The Cluster Autoscaler owns the size once the group exists.
                ignore_changes=["scalingConfig.desiredSize"],
                # Nodes turn Ready only with a CNI, and must be gone before it is.
                depends_on=nodes.after,
            ),
        )

    def _create_autoscaler_tags(self, name: str, group: GroupPlan, node_group: aws.eks.NodeGroup) -> None:
        group_name = node_group.resources.apply(_autoscaling_group)
        for key, value in node_template_tags(self._shape, group).items():
            short = key.rpartition("node-template/")[2].replace("/", "-")
            aws.autoscaling.Tag(
                f"{name}-{short}",
                autoscaling_group_name=group_name,
                tag=aws.autoscaling.TagTagArgs(key=key, value=value, propagate_at_launch=False),
                opts=self.child(),
            )


def _autoscaling_group(resources: Sequence[aws.eks.outputs.NodeGroupResource]) -> str:
    groups = resources[0].autoscaling_groups if resources else None
    name = groups[0].name if groups else None
    if name is None:
        raise ValueError("the node group reports no autoscaling group to tag for the Cluster Autoscaler")
    return name
