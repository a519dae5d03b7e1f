"""The security groups of a cluster and of its nodes."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.local.providers.eks.arguments import Inputs, Refusal, merged_tags

_ANYWHERE = "0.0.0.0/0"


def cluster_group(name: str, inputs: Inputs, opts: pulumi.ResourceOptions) -> aws.ec2.SecurityGroup:
    """Make the control plane's group and its way out."""
    label = f"{name}-eksClusterSecurityGroup"
    tags = merged_tags({"Name": label}, inputs.get("clusterSecurityGroupTags"), inputs.get("tags"))
    group = aws.ec2.SecurityGroup(
        label, vpc_id=inputs.get("vpcId"), revoke_rules_on_delete=True, tags=tags, opts=opts
    )
    aws.ec2.SecurityGroupRule(
        f"{name}-eksClusterInternetEgressRule",
        description="Allow internet access.",
        type="egress",
        from_port=0,
        to_port=0,
        protocol="-1",
        cidr_blocks=[_ANYWHERE],
        security_group_id=group.id,
        opts=opts,
    )
    return group


def node_group(
    name: str,
    *,
    vpc: pulumi.Input[str],
    cluster_group_id: pulumi.Input[str],
    cluster_name: pulumi.Input[str],
    tags: object,
    opts: pulumi.ResourceOptions,
) -> tuple[aws.ec2.SecurityGroup, aws.ec2.SecurityGroupRule]:
    """Make the nodes' group, with the rules nodes and control plane need of each other."""
    owned = pulumi.Output.from_input(cluster_name).apply(
        lambda found: {f"kubernetes.io/cluster/{found}": "owned"}
    )
    label = f"{name}-nodeSecurityGroup"
    group = aws.ec2.SecurityGroup(
        label,
        vpc_id=vpc,
        revoke_rules_on_delete=True,
        tags=merged_tags({"Name": label}, owned, tags),
        opts=opts,
    )
    aws.ec2.SecurityGroupRule(
        f"{name}-eksNodeIngressRule",
        description="Allow nodes to communicate with each other",
        type="ingress",
        from_port=0,
        to_port=0,
        protocol="-1",
        security_group_id=group.id,
        self=True,
        opts=opts,
    )
    from_cluster = {
        "eksNodeClusterIngressRule": (
            1025,
            65535,
            "Allow worker Kubelets and pods to receive communication from the cluster control plane",
        ),
        "eksExtApiServerClusterIngressRule": (
            443,
            443,
            "Allow pods running extension API servers on port 443 to receive communication from cluster control plane",
        ),
    }
    for rule, (low, high, description) in from_cluster.items():
        aws.ec2.SecurityGroupRule(
            f"{name}-{rule}",
            description=description,
            type="ingress",
            from_port=low,
            to_port=high,
            protocol="tcp",
            security_group_id=group.id,
            source_security_group_id=cluster_group_id,
            opts=opts,
        )
    aws.ec2.SecurityGroupRule(
        f"{name}-eksNodeInternetEgressRule",
        description="Allow internet access.",
        type="egress",
        from_port=0,
        to_port=0,
        protocol="-1",
        cidr_blocks=[_ANYWHERE],
        security_group_id=group.id,
        opts=opts,
    )
    to_cluster = aws.ec2.SecurityGroupRule(
        f"{name}-eksClusterIngressRule",
        description="Allow pods to communicate with the cluster API Server",
        type="ingress",
        from_port=443,
        to_port=443,
        protocol="tcp",
        security_group_id=cluster_group_id,
        source_security_group_id=group.id,
        opts=opts,
    )
    return group, to_cluster


class NodeGroupSecurityGroup(pulumi.ComponentResource):
    """`eks:index:NodeGroupSecurityGroup`."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("eks:index:NodeGroupSecurityGroup", name, dict(inputs), opts)
        cluster, control = inputs.get("eksCluster"), inputs.get("clusterSecurityGroup")
        if cluster is None or control is None:
            raise Refusal("eksCluster", "eksCluster and clusterSecurityGroup are required")
        self.group, self.rule = node_group(
            name,
            vpc=inputs["vpcId"],
            cluster_group_id=pulumi.Output.from_input(control).apply(lambda found: found.id),
            cluster_name=pulumi.Output.from_input(cluster).apply(lambda found: found.name),
            tags=inputs.get("tags"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def state(self) -> dict[str, object]:
        """List the outputs."""
        return {"securityGroup": self.group, "securityGroupRule": self.rule}
