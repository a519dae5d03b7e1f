"""Hand-written rules for EKS, node groups and launch templates."""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Mapping
from typing import Any, Final

from infra.local.providers.aws.rule_makers import at_most, between, found_at, matches, one_of
from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import Map, fields, number, quote, text


@functools.cache
def _instance_types() -> frozenset[str]:
    enums: Any = importlib.import_module("pulumi_aws.ec2._enums")
    return frozenset(str(member.value) for member in enums.InstanceType)


def _instance_type(path: str) -> Checker:
    """Take instance types pulumi-aws knows, and any of a family it does not know yet."""

    def check(resource: Resource) -> list[Failure]:
        failures: list[Failure] = []
        for where, value in found_at(resource.inputs, path):
            name = text(value)
            family = name.partition(".")[0] + "."
            known_family = any(known.startswith(family) for known in _instance_types())
            if name not in _instance_types() and (known_family or "." not in name):
                kin = sorted(known for known in _instance_types() if known.startswith(family))
                near = ", ".join(kin[:12] or difflib.get_close_matches(name, sorted(_instance_types()), n=4))
                failures.append(
                    Failure(where, f"is {quote(value)}; there is no such instance type (there are {near})")
                )
        return failures

    return check


def _scaling(resource: Resource) -> list[Failure]:
    scaling = fields(resource.inputs.get("scalingConfig"))
    numbers = [number(scaling.get(name)) for name in ("minSize", "desiredSize", "maxSize")]
    known = [value for value in numbers if value is not None]
    if len(known) == 3 and known != sorted(known):
        return [Failure("scalingConfig", f"is {known}; expected minSize <= desiredSize <= maxSize")]
    return []


def _update_config(resource: Resource) -> list[Failure]:
    update: Map = fields(resource.inputs.get("updateConfig"))
    if "maxUnavailable" in update and "maxUnavailablePercentage" in update:
        return [
            Failure("updateConfig", "has maxUnavailable and maxUnavailablePercentage; EKS takes one of them")
        ]
    return []


def _launch_template(resource: Resource) -> list[Failure]:
    template = fields(resource.inputs.get("launchTemplate"))
    wrong = "diskSize" if template and resource.inputs.get("diskSize") is not None else ""
    return (
        [Failure(wrong, "is given beside launchTemplate; the disk belongs in the template")] if wrong else []
    )


_AMI_TYPES_TEXT: Final = (
    "AL2_x86_64 AL2_x86_64_GPU AL2_ARM_64 CUSTOM BOTTLEROCKET_ARM_64 BOTTLEROCKET_x86_64 BOTTLEROCKET_ARM_64_FIPS "
    "BOTTLEROCKET_x86_64_FIPS BOTTLEROCKET_ARM_64_NVIDIA BOTTLEROCKET_x86_64_NVIDIA BOTTLEROCKET_ARM_64_NVIDIA_FIPS "
    "BOTTLEROCKET_x86_64_NVIDIA_FIPS WINDOWS_CORE_2019_x86_64 WINDOWS_FULL_2019_x86_64 WINDOWS_CORE_2022_x86_64 "
    "WINDOWS_FULL_2022_x86_64 WINDOWS_CORE_2025_x86_64 WINDOWS_FULL_2025_x86_64 AL2023_x86_64_STANDARD "
    "AL2023_ARM_64_STANDARD AL2023_x86_64_NEURON AL2023_x86_64_NVIDIA AL2023_ARM_64_NVIDIA"
)
_AMI_TYPES: Final = _AMI_TYPES_TEXT.split()

TABLE: Final[Mapping[str, list[Checker]]] = {
    "ec2:LaunchTemplate": [
        matches("name", r"[A-Za-z0-9().\-/_]{3,128}", "3 to 128 letters, digits and ( ) . - / _"),
        one_of("metadataOptions.httpTokens", ("optional", "required")),
        one_of("metadataOptions.httpEndpoint", ("enabled", "disabled")),
        one_of("metadataOptions.instanceMetadataTags", ("enabled", "disabled")),
        between("metadataOptions.httpPutResponseHopLimit", 1, 64),
        one_of("blockDeviceMappings.ebs.volumeType", ("standard", "gp2", "gp3", "io1", "io2", "sc1", "st1")),
        one_of("instanceInitiatedShutdownBehavior", ("stop", "terminate")),
        _instance_type("instanceType"),
    ],
    "eks:Cluster": [
        matches(
            "name", r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", "1 to 100 letters, digits, hyphens and underscores"
        ),
        matches("version", r"1\.\d{2}", "a Kubernetes version such as 1.36"),
        one_of("accessConfig.authenticationMode", ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")),
        one_of("enabledClusterLogTypes", ("api", "audit", "authenticator", "controllerManager", "scheduler")),
        one_of("upgradePolicy.supportType", ("STANDARD", "EXTENDED")),
        one_of("kubernetesNetworkConfig.ipFamily", ("ipv4", "ipv6")),
        one_of("encryptionConfig.resources", ("secrets",)),
        one_of("controlPlaneScalingConfig.tier", ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")),
    ],
    "eks:NodeGroup": [
        at_most("nodeGroupName", 63),
        one_of("capacityType", ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")),
        one_of("amiType", _AMI_TYPES),
        one_of("taints.effect", ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")),
        one_of("updateConfig.updateStrategy", ("DEFAULT", "MINIMAL")),
        between("updateConfig.maxUnavailablePercentage", 1, 100),
        between("updateConfig.maxUnavailable", 1, 100),
        between("scalingConfig.minSize", 0, 5000),
        between("scalingConfig.maxSize", 1, 5000),
        _instance_type("instanceTypes"),
        _scaling,
        _update_config,
        _launch_template,
    ],
    "eks:Addon": [
        one_of("resolveConflictsOnCreate", ("NONE", "OVERWRITE")),
        one_of("resolveConflictsOnUpdate", ("NONE", "OVERWRITE", "PRESERVE")),
    ],
    "eks:AccessEntry": [
        one_of(
            "type",
            (
                "STANDARD",
                "EC2_LINUX",
                "EC2_WINDOWS",
                "FARGATE_LINUX",
                "EC2",
                "HYBRID_LINUX",
                "HYPERPOD_LINUX",
            ),
        )
    ],
    "eks:AccessPolicyAssociation": [one_of("accessScope.type", ("cluster", "namespace"))],
}
