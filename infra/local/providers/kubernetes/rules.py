"""What the API server refuses or will not change in place, by kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from infra.local.providers.check import Failure
from infra.local.providers.plugin import Resource
from infra.local.providers.values import (
    Unknown,
    Value,
    entries,
    fields,
    has_unknown,
    number,
    plain,
    quote,
    text,
)

_POD_FIELDS: Final = (
    "affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC "
    "hostNetwork hostPID hostname imagePullSecrets initContainers nodeName nodeSelector overhead preemptionPolicy "
    "priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext "
    "serviceAccount serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds volumes"
)
_POD: Final = [f"spec.{name}" for name in _POD_FIELDS.split()]
# The fields pulumi-kubernetes replaces an object for.
REPLACES: Final[Mapping[str, list[str]]] = {
    "DaemonSet": ["spec.selector"],
    "Deployment": ["spec.selector"],
    "StatefulSet": [
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ],
    "Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
    "PersistentVolumeClaim": [
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ],
    "Pod": _POD,
    "ResourceQuota": ["spec.scopes"],
    "RoleBinding": ["roleRef"],
    "ClusterRoleBinding": ["roleRef"],
    "Secret": ["type"],
    "Service": ["spec.clusterIP"],
    "StorageClass": ["parameters", "provisioner"],
}
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")
_LABEL: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?\Z")
_QUANTITY: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+|m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?\Z")
# RBAC names may hold what paths may, unlike every other kind's.
_FREE_NAMES: Final = frozenset({"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "APIService"})


def check_metadata(resource: Resource) -> list[Failure]:
    """Check the name and labels every object has."""
    metadata, failures = fields(resource.inputs.get("metadata")), list[Failure]()
    name = plain(metadata.get("name"))
    kind = resource.token.rpartition(":")[2]
    if isinstance(name, str) and kind not in _FREE_NAMES and (len(name) > 253 or not _SUBDOMAIN.match(name)):
        reason = f"is {quote(metadata.get('name'))}; expected at most 253 lower-case letters, digits, hyphens and dots"
        failures.append(Failure("metadata.name", reason))
    for key, value in fields(metadata.get("labels")).items():
        if not has_unknown(value) and not _LABEL.match(text(value)):
            reason = f"is {quote(value)}; expected at most 63 letters, digits, - _ and ."
            failures.append(Failure(f'metadata.labels["{key}"]', reason))
    return failures


def _workload(resource: Resource) -> list[Failure]:
    spec, failures = fields(resource.inputs.get("spec")), list[Failure]()
    template = fields(spec.get("template"))
    wanted = fields(fields(spec.get("selector")).get("matchLabels"))
    labels = fields(fields(template.get("metadata")).get("labels"))
    for key, value in wanted.items():
        given = labels.get(key)
        if has_unknown(value) or has_unknown(given) or isinstance(plain(template.get("metadata")), Unknown):
            continue
        if plain(given) != plain(value):
            has = quote(given) if given else "no such label"
            reason = f"is {quote(value)}, but spec.template.metadata.labels has {has}"
            failures.append(Failure(f'spec.selector.matchLabels["{key}"]', reason))
    return failures + _pod(fields(template.get("spec")), "spec.template.spec")


def _pod(spec: Mapping[str, Value], path: str) -> list[Failure]:
    failures: list[Failure] = []
    for listed in ("containers", "initContainers"):
        for index, container in enumerate(entries(spec.get(listed))):
            failures += _resources(fields(container), f"{path}.{listed}[{index}]")
    return failures


def _resources(container: Mapping[str, Value], path: str) -> list[Failure]:
    resources, failures = fields(container.get("resources")), list[Failure]()
    for part in ("requests", "limits"):
        for name, value in fields(resources.get(part)).items():
            if not has_unknown(value) and not _QUANTITY.match(text(value)):
                reason = f"is {quote(value)}; expected a quantity such as 200m or 512Mi"
                failures.append(Failure(f"{path}.resources.{part}.{name}", reason))
    return failures


def _autoscaler(resource: Resource) -> list[Failure]:
    spec = fields(resource.inputs.get("spec"))
    low, high = number(spec.get("minReplicas")), number(spec.get("maxReplicas"))
    if low is None or high is None or low <= high:
        return []
    return [Failure("spec.minReplicas", f"is {text(low)}; expected at most maxReplicas, {text(high)}")]


def _budget(resource: Resource) -> list[Failure]:
    spec = fields(resource.inputs.get("spec"))
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [Failure("spec", "has minAvailable and maxUnavailable; a disruption budget takes one of them")]
    return []


def _ports(resource: Resource) -> list[Failure]:
    failures: list[Failure] = []
    for index, port in enumerate(entries(fields(resource.inputs.get("spec")).get("ports"))):
        given = number(fields(port).get("port"))
        if given is not None and not 1 <= given <= 65535:
            failures.append(Failure(f"spec.ports[{index}].port", f"is {text(given)}; expected 1 to 65535"))
    return failures


CHECKERS: Final[Mapping[str, list[Callable[[Resource], list[Failure]]]]] = {
    "Deployment": [_workload],
    "StatefulSet": [_workload],
    "DaemonSet": [_workload],
    "HorizontalPodAutoscaler": [_autoscaler],
    "PodDisruptionBudget": [_budget],
    "Service": [_ports],
}
