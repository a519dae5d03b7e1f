"""Add-ons: kube-proxy and CoreDNS of a cluster, `eks:index:VpcCniAddon` and `eks:index:Addon`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from infra.local.providers.eks.arguments import Inputs, Refusal, as_json, section

# Environment of the VPC CNI by the option that sets it; the last column is what stands where it is not given.
_ENVIRONMENT: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("AWS_VPC_CNI_NODE_PORT_SUPPORT", "nodePortSupport", None),
    ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "customNetworkConfig", None),
    ("WARM_ENI_TARGET", "warmEniTarget", "1"),
    ("WARM_IP_TARGET", "warmIpTarget", None),
    ("WARM_PREFIX_TARGET", "warmPrefixTarget", None),
    ("ENABLE_PREFIX_DELEGATION", "enablePrefixDelegation", None),
    ("AWS_VPC_K8S_CNI_LOGLEVEL", "logLevel", "DEBUG"),
    ("AWS_VPC_K8S_CNI_LOG_FILE", "logFile", "/host/var/log/aws-routed-eni/ipamd.log"),
    ("AWS_VPC_K8S_CNI_VETHPREFIX", "vethPrefix", "eni"),
    ("AWS_VPC_ENI_MTU", "eniMtu", "9001"),
    ("ENI_CONFIG_LABEL_DEF", "eniConfigLabelDef", None),
    ("AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "pluginLogLevel", "DEBUG"),
    ("AWS_VPC_K8S_PLUGIN_LOG_FILE", "pluginLogFile", "/var/log/aws-routed-eni/plugin.log"),
    ("ENABLE_POD_ENI", "enablePodEni", "false"),
    ("AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", "cniConfigureRpfilter", None),
    ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "cniCustomNetworkCfg", "false"),
    ("AWS_VPC_K8S_CNI_EXTERNALSNAT", "externalSnat", "false"),
)


def _written(value: object) -> str:
    """Write a setting as the add-on wants it: everything is text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _environment(inputs: Inputs) -> dict[str, pulumi.Output[str]]:
    if inputs.get("cniExternalSnat") and inputs.get("externalSnat"):
        raise Refusal("externalSnat", "give one of `cniExternalSnat` and `externalSnat`")
    found: dict[str, pulumi.Output[str]] = {}
    settings = {**inputs, "externalSnat": inputs.get("externalSnat") or inputs.get("cniExternalSnat")}
    for variable, option, default in _ENVIRONMENT:
        value = settings.get(option)
        if value or (value is not None and option == "warmEniTarget"):
            found[variable] = pulumi.Output.from_input(value).apply(_written)
        elif default is not None:
            found[variable] = pulumi.Output.from_input(default)
    return found


def _configuration(inputs: Inputs) -> pulumi.Output[dict[str, Any]]:
    early = inputs.get("disableTcpEarlyDemux")
    initial = {"DISABLE_TCP_EARLY_DEMUX": pulumi.Output.from_input(early or False).apply(_written)}

    def merge(parts: list[Any]) -> dict[str, Any]:
        environment, start, policy, custom = parts
        configuration: dict[str, Any] = dict(custom or {})
        if policy is not None:
            configuration.setdefault("enableNetworkPolicy", _written(policy))
        own = configuration.get("env")
        configuration["env"] = {**environment, **own} if isinstance(own, Mapping) else environment
        own_start = section(configuration, "init").get("env")
        configuration["init"] = {"env": start, **section(configuration, "init")}
        if isinstance(own_start, Mapping):
            configuration["init"]["env"] = {**start, **own_start}
        return configuration

    custom: Any = inputs.get("configurationValues") or dict[str, Any]()
    return pulumi.Output.all(_environment(inputs), initial, inputs.get("enableNetworkPolicy"), custom).apply(
        merge
    )


class VpcCniAddon(pulumi.ComponentResource):
    """`eks:index:VpcCniAddon`: the VPC CNI as a managed add-on."""

    addon: aws.eks.Addon

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("eks:index:VpcCniAddon", name, dict(inputs), opts)
        child = pulumi.ResourceOptions(parent=self)
        if inputs.get("clusterName") is None:
            raise Refusal("clusterName", "missing: it is required")
        version = inputs.get("addonVersion")
        if version is None:
            if inputs.get("clusterVersion") is None:
                raise Refusal(
                    "addonVersion", "give addonVersion or clusterVersion to tell which version to use"
                )
            version = addon_version("vpc-cni", inputs["clusterVersion"], self)
        self.addon = aws.eks.Addon(
            name,
            cluster_name=inputs["clusterName"],
            addon_name="vpc-cni",
            addon_version=version,
            resolve_conflicts_on_create=inputs.get("resolveConflictsOnCreate") or "OVERWRITE",
            resolve_conflicts_on_update=inputs.get("resolveConflictsOnUpdate") or "OVERWRITE",
            preserve=True,
            configuration_values=as_json(_configuration(inputs)),
            service_account_role_arn=inputs.get("serviceAccountRoleArn"),
            tags=inputs.get("tags"),
            opts=child,
        )
        if inputs.get("securityContextPrivileged"):
            self._patch(name, inputs["securityContextPrivileged"])
        self.register_outputs({"addon": self.addon})

    def _patch(self, name: str, privileged: object) -> None:
        container = {"name": "aws-node", "securityContext": {"privileged": privileged}}
        metadata = {
            "name": "aws-node",
            "namespace": "kube-system",
            "annotations": {"pulumi.com/patchForce": "true"},
        }
        spec: Any = {"template": {"spec": {"containers": [container]}}}
        meta: Any = metadata
        options = pulumi.ResourceOptions(parent=self, depends_on=[self.addon], retain_on_delete=True)
        k8s.apps.v1.DaemonSetPatch(name, metadata=meta, spec=spec, opts=options)

    def state(self) -> dict[str, object]:
        """List the outputs."""
        return {"addon": self.addon}


class Addon(pulumi.ComponentResource):
    """`eks:index:Addon`: any managed add-on of a cluster made by the component."""

    addon: aws.eks.Addon

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None) -> None:
        cluster: Any = inputs["cluster"]
        parented = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(parent=cluster))
        super().__init__("eks:index:Addon", name, dict(inputs), parented)
        configuration = inputs.get("configurationValues")
        self.addon = aws.eks.Addon(
            name,
            cluster_name=pulumi.Output.from_input(cluster).apply(lambda found: found.eks_cluster.name),
            addon_name=inputs["addonName"],
            addon_version=inputs.get("addonVersion"),
            configuration_values=as_json(configuration) if configuration else None,
            preserve=inputs.get("preserve"),
            resolve_conflicts_on_create=inputs.get("resolveConflictsOnCreate"),
            resolve_conflicts_on_update=inputs.get("resolveConflictsOnUpdate"),
            service_account_role_arn=inputs.get("serviceAccountRoleArn"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

    def state(self) -> dict[str, object]:
        """List the outputs."""
        return {"addon": self.addon}


def addon_version(addon: str, kubernetes: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Output[str]:
    """Ask for the newest version of an add-on."""
    found = aws.eks.get_addon_version_output(
        addon_name=addon,
        kubernetes_version=kubernetes,
        most_recent=True,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return found.apply(lambda result: result.version)


def managed(
    name: str, *, addon: str, inputs: Inputs, options: str, cluster: aws.eks.Cluster, parent: pulumi.Resource
) -> aws.eks.Addon:
    """Make kube-proxy or CoreDNS a managed add-on of a cluster."""
    chosen = section(inputs, options)
    configuration = chosen.get("configurationValues")
    return aws.eks.Addon(
        f"{name}-{addon}",
        cluster_name=cluster.name,
        addon_name=addon,
        preserve=True,
        tags=inputs.get("tags"),
        resolve_conflicts_on_create=chosen.get("resolveConflictsOnCreate") or "OVERWRITE",
        resolve_conflicts_on_update=chosen.get("resolveConflictsOnUpdate") or "OVERWRITE",
        addon_version=chosen.get("version") or addon_version(addon, cluster.version, parent),
        configuration_values=as_json(configuration) if configuration else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )
