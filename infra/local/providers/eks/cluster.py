"""`eks:index:Cluster`: the control plane with what pulumi-eks registers around it.

Names, types, parents and arguments of the children are those of pulumi-eks 4. What is not stood in for is refused
by name instead of being left out: the default node group, Fargate and Auto Mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from infra.local.providers.eks import security
from infra.local.providers.eks.addons import VpcCniAddon, managed
from infra.local.providers.eks.arguments import Inputs, Refusal, compact_json, given, merged_tags, section
from infra.local.providers.eks.kubeconfig import kubeconfig
from infra.local.providers.eks.roles import ServiceRole

_MODES: Final = ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")
_NOT_HERE: Final = ("fargate", "autoMode", "creationRoleProvider", "roleMappings", "userMappings")
# The thumbprint EKS issuers had for years; AWS no longer looks at it, and asking for it needs the network.
_THUMBPRINT: Final = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"


def validate(inputs: Inputs) -> None:
    """Refuse what the component refuses, and what this stand-in has no part for.

    Raises:
        Refusal: an input is wrong.
    """
    for name in _NOT_HERE:
        if inputs.get(name):
            raise Refusal(name, "the local platform's eks stand-in has no part for it")
    if not inputs.get("skipDefaultNodeGroup"):
        raise Refusal(
            "skipDefaultNodeGroup", "must be true: the local platform does not stand in for the default group"
        )
    mode = inputs.get("authenticationMode")
    if mode is not None and mode not in _MODES:
        raise Refusal("authenticationMode", f"is {mode!r}; allowed values are {', '.join(_MODES)}")
    if inputs.get("accessEntries") and mode not in _MODES[:2]:
        raise Refusal("accessEntries", f"is not supported when authenticationMode is {mode or 'not set'}")
    if mode == "API" and inputs.get("instanceRoles"):
        raise Refusal("instanceRoles", "takes no values when authenticationMode is API")
    if inputs.get("instanceRole") and inputs.get("instanceRoles"):
        raise Refusal("instanceRole", "instanceRole and instanceRoles are mutually exclusive")
    if inputs.get("subnetIds") and (inputs.get("publicSubnetIds") or inputs.get("privateSubnetIds")):
        raise Refusal("subnetIds", "subnetIds excludes publicSubnetIds and privateSubnetIds")
    if inputs.get("publicAccessCidrs") and inputs.get("endpointPublicAccess") is False:
        raise Refusal("publicAccessCidrs", "can only be set when endpointPublicAccess is true")


class Cluster(pulumi.ComponentResource):
    """An EKS cluster."""

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None) -> None:
        validate(inputs)
        super().__init__("eks:index:Cluster", name, dict(inputs), opts)
        self._name = name
        self._inputs = inputs
        self._child = pulumi.ResourceOptions(parent=self)
        partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self))
        self._partition = partition.apply(lambda found: found.partition)
        self._vpc, self._subnets = self._network()
        self._service_role = self._create_service_role()
        self._group = self._create_group()
        self.cluster = self._create_cluster()
        if section(inputs, "kubeProxyAddonOptions").get("enabled") is not False:
            self._create_addon("kube-proxy", "kubeProxyAddonOptions")
        credentials = inputs.get("providerCredentialOpts")
        self.kubeconfig = kubeconfig(self.cluster, credentials, with_profile=False)
        self._kubernetes = self._create_provider(kubeconfig(self.cluster, credentials, with_profile=True))
        self._roles, self._instance_role = self._create_instance_roles()
        self._auth = self._create_auth()
        self._storage = self._create_storage_classes()
        self._cni = self._create_cni()
        coredns = section(inputs, "corednsAddonOptions")
        if coredns.get("enabled") is True or coredns.get("configurationValues"):
            self._create_addon("coredns", "corednsAddonOptions")
        self._oidc = self._create_oidc_provider()
        self._node_group, self._node_rule = self._create_node_security()
        self.register_outputs(self.state())

    def _network(self) -> tuple[Any, Any]:
        inputs = self._inputs
        vpc, subnets = inputs.get("vpcId"), inputs.get("subnetIds")
        options = pulumi.InvokeOutputOptions(parent=self)
        if vpc is None:
            vpc = aws.ec2.get_vpc_output(default=True, opts=options).apply(lambda found: found.id)
        if subnets is None and (inputs.get("publicSubnetIds") or inputs.get("privateSubnetIds")):
            both = pulumi.Output.all(
                inputs.get("publicSubnetIds") or [], inputs.get("privateSubnetIds") or []
            )
            subnets = both.apply(lambda found: [*found[0], *found[1]])
        if subnets is None and inputs.get("vpcId") is None:
            values: Any = [vpc]
            filters: Any = [{"name": "vpc-id", "values": values}]
            subnets = aws.ec2.get_subnets_output(filters=filters, opts=options).apply(lambda found: found.ids)
        return vpc, subnets or []

    def _create_service_role(self) -> ServiceRole | None:
        if self._inputs.get("serviceRole"):
            return None
        return ServiceRole(
            f"{self._name}-eksRole",
            service="eks.amazonaws.com",
            description="Allows EKS to manage clusters on your behalf.",
            policies=["AmazonEKSClusterPolicy"],
            actions=["sts:AssumeRole", "sts:TagSession"],
            partition=self._partition,
            tags=self._inputs.get("tags"),
            opts=self._child,
        )

    def _create_group(self) -> aws.ec2.SecurityGroup | None:
        if self._inputs.get("clusterSecurityGroup") is not None:
            return self._inputs["clusterSecurityGroup"]
        if self._inputs.get("skipDefaultSecurityGroups"):
            return None
        return security.cluster_group(self._name, {**self._inputs, "vpcId": self._vpc}, self._child)

    def _cluster_role(self) -> Any:
        return self._service_role.role if self._service_role else self._inputs["serviceRole"]

    def _encryption(self) -> dict[str, Any] | None:
        key = self._inputs.get("encryptionConfigKeyArn")
        return {"provider": {"keyArn": key}, "resources": ["secrets"]} if key else None

    def _network_config(self) -> dict[str, Any] | None:
        services, family = self._inputs.get("kubernetesServiceIpAddressRange"), self._inputs.get("ipFamily")
        if not services and not family:
            return None
        ipv4 = family in (None, "ipv4")
        return {"serviceIpv4Cidr": services if ipv4 else None, "ipFamily": family or "ipv4"}

    def _create_cluster(self) -> aws.eks.Cluster:
        inputs, name = self._inputs, f"{self._name}-eksCluster"
        role = pulumi.Output.from_input(self._cluster_role()).apply(lambda found: found.arn)
        arguments: dict[str, Any] = {
            **given(
                inputs, "name", "version", "enabledClusterLogTypes", "upgradePolicy", "deletionProtection"
            ),
            "roleArn": role,
            "bootstrapSelfManagedAddons": inputs.get("bootstrapSelfManagedAddons", True),
            "vpcConfig": {
                "securityGroupIds": [self._group.id] if self._group else None,
                "subnetIds": self._subnets,
                **given(inputs, "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs"),
            },
            "tags": merged_tags({"Name": name}, inputs.get("clusterTags"), inputs.get("tags")),
            "encryptionConfig": self._encryption(),
            "kubernetesNetworkConfig": self._network_config(),
        }
        if inputs.get("authenticationMode"):
            mode = inputs["authenticationMode"]
            arguments["accessConfig"] = {
                "authenticationMode": mode,
                "bootstrapClusterCreatorAdminPermissions": True,
            }
        options = pulumi.ResourceOptions(
            parent=self,
            # The first has a default that differs between versions, the second only matters at creation.
            ignore_changes=[
                "accessConfig.bootstrapClusterCreatorAdminPermissions",
                "bootstrapSelfManagedAddons",
            ],
            depends_on=[self._service_role.resolved] if self._service_role else None,
        )
        return aws.eks.Cluster(name, opts=options, **_python_names(arguments))

    def _create_addon(self, addon: str, options: str) -> None:
        managed(
            self._name, addon=addon, inputs=self._inputs, options=options, cluster=self.cluster, parent=self
        )

    def _create_provider(self, config: pulumi.Output[Any]) -> k8s.Provider:
        return k8s.Provider(
            f"{self._name}-eks-k8s",
            kubeconfig=config.apply(compact_json),
            enable_config_map_mutable=self._inputs.get("enableConfigMapMutable"),
            opts=self._child,
        )

    def _create_instance_roles(self) -> tuple[Any, Any]:
        inputs = self._inputs
        if inputs.get("instanceRoles"):
            return inputs["instanceRoles"], None
        if inputs.get("instanceRole"):
            return [inputs["instanceRole"]], inputs["instanceRole"]
        if not inputs.get("createInstanceRole"):
            return [], None
        role = ServiceRole(
            f"{self._name}-instanceRole",
            service="ec2.amazonaws.com",
            policies=[
                "AmazonEKSWorkerNodePolicy",
                "AmazonEKS_CNI_Policy",
                "AmazonEC2ContainerRegistryReadOnly",
            ],
            actions=["sts:AssumeRole"],
            partition=self._partition,
            tags=inputs.get("tags"),
            opts=self._child,
        )
        profile = f"{self._name}-instanceProfile"
        aws.iam.InstanceProfile(profile, role=role.resolved.apply(lambda found: found.name), opts=self._child)
        return [role.role], role.role

    def _create_auth(self) -> list[pulumi.Resource]:
        mode, found = self._inputs.get("authenticationMode"), list[pulumi.Resource]()
        if mode in _MODES[:2]:
            entries: dict[str, Any] = {}
            if self._instance_role is not None:
                arn = pulumi.Output.from_input(self._instance_role).apply(lambda role: role.arn)
                entries["defaultNodeGroupInstanceRole"] = {"principalArn": arn, "type": "EC2_LINUX"}
            entries.update(self._inputs.get("accessEntries") or {})
            found += [self._create_entry(key, entry) for key, entry in entries.items()]
        if mode != "API":
            found.append(self._create_auth_map())
        return found

    def _create_entry(self, key: str, entry: Mapping[str, Any]) -> aws.eks.AccessEntry:
        name = f"{self._name}-{key}"
        created = aws.eks.AccessEntry(
            name,
            cluster_name=self.cluster.name,
            principal_arn=entry["principalArn"],
            kubernetes_groups=entry.get("kubernetesGroups"),
            tags=entry.get("tags"),
            type=entry.get("type"),
            user_name=entry.get("username"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.cluster]),
        )
        for association, policy in section(entry, "accessPolicies").items():
            content: pulumi.Output[Any] = pulumi.Output.from_input(policy)
            aws.eks.AccessPolicyAssociation(
                f"{name}-{association}",
                cluster_name=self.cluster.name,
                principal_arn=entry["principalArn"],
                policy_arn=content.apply(lambda found: found["policyArn"]),
                access_scope=content.apply(lambda found: found["accessScope"]),
                opts=pulumi.ResourceOptions(parent=created, depends_on=[created]),
            )
        return created

    def _create_auth_map(self) -> k8s.core.v1.ConfigMap:
        def mapping(arns: list[str]) -> str:
            lines = [
                f"- rolearn: {arn}\n  username: system:node:{{{{EC2PrivateDNSName}}}}\n"
                "  groups:\n    - system:bootstrappers\n    - system:nodes\n"
                for arn in arns
            ]
            return "".join(lines) or "[]\n"

        arns = [pulumi.Output.from_input(role).apply(lambda found: found.arn) for role in self._roles]
        metadata: Any = {
            "name": "aws-auth",
            "namespace": "kube-system",
            "annotations": {"pulumi.com/patchForce": "true"},
        }
        return k8s.core.v1.ConfigMap(
            f"{self._name}-nodeAccess",
            immutable=False,
            metadata=metadata,
            data={"mapRoles": pulumi.Output.all(*arns).apply(lambda found: mapping(list(found)))},
            opts=pulumi.ResourceOptions(parent=self, provider=self._kubernetes),
        )

    def _create_storage_classes(self) -> dict[str, k8s.storage.v1.StorageClass]:
        chosen = self._inputs.get("storageClasses")
        wanted = section(self._inputs, "storageClasses")
        if isinstance(chosen, str):
            wanted = {chosen: {"type": chosen, "default": True}}
        return {key: self._create_storage_class(key, options) for key, options in wanted.items()}

    def _create_storage_class(self, key: str, chosen: Mapping[str, Any]) -> k8s.storage.v1.StorageClass:
        metadata: Any = dict(chosen.get("metadata") or {})
        if chosen.get("default"):
            default = {"storageclass.kubernetes.io/is-default-class": "true"}
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **default}
        parameters: dict[str, Any] = {"type": chosen["type"], **given(chosen, "kmsKeyId")}
        for option in ("iopsPerGb", "encrypted"):
            if chosen.get(option):
                parameters[option] = pulumi.Output.from_input(chosen[option]).apply(
                    lambda found: str(found).lower()
                )
        options = pulumi.ResourceOptions(parent=self, provider=self._kubernetes, depends_on=self._auth)
        return k8s.storage.v1.StorageClass(
            f"{self._name.lower()}-{key}",
            metadata=metadata,
            provisioner="kubernetes.io/aws-ebs",
            parameters=parameters,
            allow_volume_expansion=chosen.get("allowVolumeExpansion"),
            mount_options=chosen.get("mountOptions"),
            reclaim_policy=chosen.get("reclaimPolicy"),
            volume_binding_mode=chosen.get("volumeBindingMode"),
            opts=options,
        )

    def _create_cni(self) -> VpcCniAddon | None:
        if self._inputs.get("useDefaultVpcCni"):
            return None
        inputs = {
            **section(self._inputs, "vpcCniOptions"),
            "clusterName": self.cluster.name,
            "clusterVersion": self.cluster.version,
            **given(self._inputs, "tags"),
        }
        options = pulumi.ResourceOptions(
            parent=self, depends_on=self._auth, providers={"kubernetes": self._kubernetes}
        )
        return VpcCniAddon(f"{self._name}-vpc-cni", inputs, options)

    def _create_oidc_provider(self) -> aws.iam.OpenIdConnectProvider | None:
        if not self._inputs.get("createOidcProvider"):
            return None
        return aws.iam.OpenIdConnectProvider(
            f"{self._name}-oidcProvider",
            client_id_lists=["sts.amazonaws.com"],
            url=self._issuer(),
            thumbprint_lists=[_THUMBPRINT],
            opts=self._child,
        )

    def _issuer(self) -> pulumi.Output[str]:
        def first(identities: list[Any]) -> str:
            return str(identities[0].oidcs[0].issuer) if identities else ""

        return self.cluster.identities.apply(lambda found: first(list(found)))

    def _create_node_security(self) -> tuple[aws.ec2.SecurityGroup | None, aws.ec2.SecurityGroupRule | None]:
        if self._inputs.get("skipDefaultSecurityGroups") or self._group is None:
            return None, None
        return security.node_group(
            self._name,
            vpc=self._vpc,
            cluster_group_id=self._group.id,
            cluster_name=self.cluster.name,
            tags=merged_tags(self._inputs.get("nodeSecurityGroupTags"), self._inputs.get("tags")),
            opts=self._child,
        )

    def _core(self) -> dict[str, object]:
        inputs = self._inputs
        core: dict[str, object] = {
            "cluster": self.cluster,
            "vpcId": self._vpc,
            "subnetIds": self._subnets,
            "endpoint": self.cluster.endpoint,
            "kubeconfig": self.kubeconfig,
            "provider": self._kubernetes,
            "instanceRoles": self._roles,
            "nodeGroupOptions": given(inputs, "version"),
            "clusterIamRole": self._cluster_role(),
            "accessEntries": list(section(inputs, "accessEntries").values()),
            "storageClasses": self._storage,
            "clusterSecurityGroup": self._group,
            "oidcProvider": self._oidc,
            "vpcCni": self._cni,
            "encryptionConfig": self._encryption(),
            "autoModeNodeRoleName": "",
            **given(inputs, "publicSubnetIds", "privateSubnetIds", "tags", "nodeSecurityGroupTags"),
        }
        return {key: value for key, value in core.items() if value is not None}

    def state(self) -> dict[str, object]:
        """List the outputs."""
        issuer = self._issuer()
        own = self.cluster.vpc_config.apply(lambda found: found.cluster_security_group_id)
        state: dict[str, object] = {
            "kubeconfig": self.kubeconfig,
            "kubeconfigJson": self.kubeconfig.apply(compact_json),
            "clusterSecurityGroup": self._group,
            "instanceRoles": self._roles,
            "nodeSecurityGroup": self._node_group,
            "eksClusterIngressRule": self._node_rule,
            "eksCluster": self.cluster,
            "core": self._core(),
            "clusterSecurityGroupId": self._group.id if self._group else own,
            "nodeSecurityGroupId": self._node_group.id if self._node_group else own,
            "clusterIngressRuleId": self._node_rule.security_group_rule_id if self._node_rule else "",
            "defaultNodeGroupAsgName": "",
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "oidcProviderArn": self._oidc.arn if self._oidc else "",
            "oidcProviderUrl": issuer,
            "oidcIssuer": issuer.apply(lambda url: url.replace("https://", "")),
            "autoModeNodeRoleName": "",
        }
        return {key: value for key, value in state.items() if value is not None}


_SNAKE: Final[Mapping[str, str]] = {
    "roleArn": "role_arn",
    "enabledClusterLogTypes": "enabled_cluster_log_types",
    "upgradePolicy": "upgrade_policy",
    "deletionProtection": "deletion_protection",
    "bootstrapSelfManagedAddons": "bootstrap_self_managed_addons",
    "vpcConfig": "vpc_config",
    "encryptionConfig": "encryption_config",
    "kubernetesNetworkConfig": "kubernetes_network_config",
    "accessConfig": "access_config",
}


def _python_names(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {_SNAKE.get(name, name): value for name, value in arguments.items() if value is not None}
