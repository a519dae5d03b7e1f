"""The EKS control plane: API access entries, private endpoint, encrypted secrets and logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from components.base import Component
from infra.model.stack import ClusterSettings
from infra.naming import StackContext

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""Every control plane log that EKS can send."""
_ADMINISTRATOR_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_CLUSTER_TYPE = "aws:eks/cluster:Cluster"

Transform = Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]


def scaling_tier_transform(tier: str) -> Transform:
    """Transform that gives the EKS cluster inside `eks.Cluster` its control plane scaling tier.

    pulumi-eks 4.4 has no argument for it; the resource it makes has the property.

    Args:
        tier: `standard`, `tier-xl`, `tier-2xl`, `tier-4xl` or `tier-8xl`.
    """

    def add_tier(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != _CLUSTER_TYPE:
            return None
        properties = {**args.props, "controlPlaneScalingConfig": {"tier": tier}}
        return pulumi.ResourceTransformResult(props=properties, opts=args.opts)

    return add_tier


def exec_kubeconfig(
    *, cluster_name: str, region: str, endpoint: str, certificate_authority: str
) -> dict[str, Any]:
    """Kubeconfig that asks the AWS CLI for a token: as little as works, and never a changing part.

    Args:
        cluster_name: Physical name of the cluster.
        region: Its region.
        endpoint: Address of the API server.
        certificate_authority: Its authority's certificate, PEM in base64.
    """
    token = ["--region", region, "eks", "get-token", "--cluster-name", cluster_name, "--output", "json"]
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": token}}
    cluster = {"server": endpoint, "certificate-authority-data": certificate_authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster_name, "cluster": cluster}],
        "users": [{"name": cluster_name, "user": user}],
        "contexts": [{"name": cluster_name, "context": {"cluster": cluster_name, "user": cluster_name}}],
        "current-context": cluster_name,
    }


def _connection(kubeconfig: str | Mapping[str, Any]) -> Mapping[str, str]:
    """Endpoint and authority as pulumi-eks wrote them into its kubeconfig."""
    document: Mapping[str, Any] = json.loads(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    return document["clusters"][0]["cluster"]


class Cluster(Component):
    """An EKS control plane without nodes and without add-ons.

    The cluster is bare on purpose: no default node group, no self-managed CNI, kube-proxy or CoreDNS, so that
    each has one owner. The security group is the one EKS makes for control plane and managed nodes. Nobody but
    the creator and the administrators of the settings gets in, by access entries.

    Numbers: the specification's three c5.2xlarge masters are what AWS runs at `scaling_tier` standard; five log
    types are all there are.

    Args:
        name: Logical name, e.g. `cluster`.
        context: Names, tags and protection of the stack; the physical name is `context.name()`.
        settings: Version, scaling tier, ranges that reach the endpoint (none: private only), service range, days
            of log retention, roles of administrators.
        vpc_id: VPC of the cluster.
        private_subnet_ids: Subnets of the control plane's network interfaces, in two zones at least.
        secrets_key_arn: Customer key that envelope-encrypts Kubernetes secrets; cannot be changed later.
        log_key_arn: Customer key of the log group.
        opts: Options of the component.

    Outputs:
        name: Physical name, ordered after the cluster.
        endpoint: Address of the API server.
        certificate_authority: Certificate of its authority, PEM in base64.
        kubeconfig: JSON kubeconfig (secret) that takes tokens from the AWS CLI.
        cluster_security_group_id: Group that EKS puts on the control plane's interfaces and managed nodes.
        oidc_issuer: Issuer of service account tokens.
        provider: Kubernetes provider with server-side apply; replaced only with the cluster.

    Raises:
        infra.naming.NamingError: When a required tag is empty.
    """

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    cluster_security_group_id: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: ClusterSettings,
        vpc_id: pulumi.Input[str],
        private_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        secrets_key_arn: pulumi.Input[str],
        log_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Cluster", name, context=context, opts=opts)
        self._settings = settings
        self._physical_name = context.name()
        log_group = self._create_log_group(log_key_arn)
        control_plane = self._create_control_plane(vpc_id, private_subnet_ids, secrets_key_arn, log_group)
        self._read_connection(control_plane)
        self._create_administrators()
        self._create_provider()
        self.register_outputs(
            {
                "name": self.name,
                "endpoint": self.endpoint,
                "certificateAuthority": self.certificate_authority,
                "kubeconfig": self.kubeconfig,
                "clusterSecurityGroupId": self.cluster_security_group_id,
                "oidcIssuer": self.oidc_issuer,
            }
        )

    def _create_log_group(self, log_key_arn: pulumi.Input[str]) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/eks/{self._physical_name}/cluster",
            retention_in_days=self._settings.log_retention_days,
            kms_key_id=log_key_arn,
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_control_plane(
        self,
        vpc_id: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        secrets_key_arn: pulumi.Input[str],
        log_group: aws.cloudwatch.LogGroup,
    ) -> eks.Cluster:
        settings = self._settings
        options = pulumi.ResourceOptions.merge(
            # EKS makes a log group of its own, unencrypted and kept for ever, where it finds none.
            self.child(stateful=True, depends_on=[log_group]),
            pulumi.ResourceOptions(transforms=[scaling_tier_transform(settings.scaling_tier)]),
        )
        return eks.Cluster(
            self._name,
            name=self._physical_name,
            version=settings.version,
            vpc_id=vpc_id,
            private_subnet_ids=subnet_ids,
            kubernetes_service_ip_address_range=settings.service_cidr,
            endpoint_private_access=True,
            endpoint_public_access=bool(settings.public_access_cidrs),
            public_access_cidrs=list(settings.public_access_cidrs) or None,
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=secrets_key_arn,
            enabled_cluster_log_types=list(LOG_TYPES),
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            deletion_protection=self.context.protect,
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_instance_role=False,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=False),
            tags=self.tags(),
            opts=options,
        )

    def _read_connection(self, control_plane: eks.Cluster) -> None:
        physical_name, region = self._physical_name, self.context.region

        def own_kubeconfig(document: str | Mapping[str, Any]) -> str:
            connection = _connection(document)
            kubeconfig = exec_kubeconfig(
                cluster_name=physical_name,
                region=region,
                endpoint=connection["server"],
                certificate_authority=connection["certificate-authority-data"],
            )
            return json.dumps(kubeconfig, sort_keys=True)

        source = control_plane.kubeconfig
        # The URN is known at preview and ordered after the cluster, so that the name is both as well.
        self.name = control_plane.urn.apply(lambda _: physical_name)
        self.endpoint = source.apply(lambda document: _connection(document)["server"])
        self.certificate_authority = source.apply(
            lambda document: _connection(document)["certificate-authority-data"]
        )
        self.kubeconfig = pulumi.Output.secret(source.apply(own_kubeconfig))
        self.cluster_security_group_id = control_plane.cluster_security_group_id
        self.oidc_issuer = control_plane.oidc_issuer

    def _create_administrators(self) -> None:
        for role_arn in self._settings.administrator_role_arns:
            short = role_arn.rpartition("/")[2]
            entry = aws.eks.AccessEntry(
                f"{self._name}-administrator-{short}",
                cluster_name=self.name,
                principal_arn=role_arn,
                type="STANDARD",
                tags=self.tags(),
                opts=self.child(),
            )
            aws.eks.AccessPolicyAssociation(
                f"{self._name}-administrator-{short}",
                cluster_name=self.name,
                principal_arn=entry.principal_arn,
                policy_arn=_ADMINISTRATOR_POLICY,
                access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                opts=self.child(),
            )

    def _create_provider(self) -> None:
        self.provider = kubernetes.Provider(
            f"{self._name}-kubernetes",
            kubeconfig=self.kubeconfig,
            # Without it a changed kubeconfig may replace the provider and with it every Kubernetes resource.
            cluster_identifier=self.endpoint,
            enable_server_side_apply=True,
            opts=self.child(),
        )
