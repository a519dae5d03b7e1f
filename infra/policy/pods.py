"""Pods as the Pod Security Standard `restricted` wants them, with sizes and without needless tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from infra.policy.model import UNKNOWN, Policy, Site, Subject, at, is_set, items

_PATHS: Mapping[str, tuple[str, ...]] = {
    "kubernetes:core/v1:Pod": ("spec",),
    "kubernetes:apps/v1:Deployment": ("spec", "template", "spec"),
    "kubernetes:apps/v1:StatefulSet": ("spec", "template", "spec"),
    "kubernetes:apps/v1:DaemonSet": ("spec", "template", "spec"),
    "kubernetes:batch/v1:Job": ("spec", "template", "spec"),
    "kubernetes:batch/v1:CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
WORKLOADS = frozenset(_PATHS)
"""Kinds that make pods."""

TOKEN_NEEDED: Mapping[str, str] = {}
"""Logical names of workloads whose pods may have a service account token, and what for."""

_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "name",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
"""Kinds of volume that `restricted` allows, and the key that names one."""
_NAMESPACE_LABEL = "pod-security.kubernetes.io/enforce"


def pod_spec(subject: Subject) -> Any:
    """The pod of a workload."""
    return at(subject.props, *_PATHS[subject.type])


def containers(spec: Any) -> list[Any]:
    """Every container of a pod, the initial ones included."""
    return [*items(at(spec, "initContainers")), *items(at(spec, "containers"))]


def _restricted(subject: Subject, _site: Site) -> Iterator[str]:
    spec = pod_spec(subject)
    if spec is UNKNOWN:
        return
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if at(spec, key) is True:
            yield f"{key} is true"
    for volume in items(at(spec, "volumes")):
        for kind in sorted(set(cast("Mapping[str, Any]", volume)) - _VOLUMES):
            yield f"volume {at(volume, 'name')} is a {kind}, which `restricted` does not allow"
    for container in containers(spec):
        for problem in _of_container(spec, container):
            yield f"container {at(container, 'name')}: {problem}"


def _of_container(spec: Any, container: Any) -> Iterator[str]:
    context, pod = at(container, "securityContext"), at(spec, "securityContext")

    def either(key: str) -> Any:
        own = at(context, key)
        return at(pod, key) if own is None else own

    if either("runAsNonRoot") not in (True, UNKNOWN):
        yield "may run as root: set runAsNonRoot"
    if either("runAsUser") == 0:
        yield "runs as root: runAsUser is 0"
    if at(context, "privileged") is True:
        yield "is privileged"
    if at(context, "allowPrivilegeEscalation") not in (False, UNKNOWN):
        yield "may gain privileges: set allowPrivilegeEscalation to false"
    if at(context, "readOnlyRootFilesystem") not in (True, UNKNOWN):
        yield "may change its own image's files: set readOnlyRootFilesystem"
    if "ALL" not in items(at(context, "capabilities", "drop")):
        yield "keeps capabilities: drop ALL"
    if set(map(str, items(at(context, "capabilities", "add")))) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities that `restricted` does not allow"
    if at(either("seccompProfile"), "type") not in ("RuntimeDefault", "Localhost", UNKNOWN):
        yield "has no seccomp profile: set seccompProfile.type to RuntimeDefault"


def _sizes(subject: Subject, _site: Site) -> Iterator[str]:
    for container in containers(pod_spec(subject)):
        for bound in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                if not is_set(at(container, "resources", bound, resource)):
                    yield f"container {at(container, 'name')}: no {resource} in {bound}"


def _token(subject: Subject, _site: Site) -> Iterator[str]:
    spec = pod_spec(subject)
    if subject.name in TOKEN_NEEDED or spec is UNKNOWN:
        return
    if at(spec, "automountServiceAccountToken") not in (False, UNKNOWN):
        yield "its pods get a token for the Kubernetes API: set automountServiceAccountToken to false"


def _namespace(subject: Subject, _site: Site) -> Iterator[str]:
    level = at(subject.props, "metadata", "labels", _NAMESPACE_LABEL)
    if level is None:
        yield f"the namespace does not say which pods it takes: set the label {_NAMESPACE_LABEL}"


POLICIES = (
    Policy(
        name="pods-are-restricted",
        why="a broken container must not become a broken node",
        types=WORKLOADS,
        check=_restricted,
    ),
    Policy(
        name="pods-have-sizes",
        why="the scheduler and the autoscalers work on requests, and a limit keeps neighbours alive",
        types=WORKLOADS,
        check=_sizes,
    ),
    Policy(
        name="no-needless-token",
        why="most pods never speak to the Kubernetes API",
        types=WORKLOADS,
        check=_token,
    ),
    Policy(
        name="namespaces-enforce-pod-security",
        why="objects that come from elsewhere are held to the same rules",
        types=frozenset({"kubernetes:core/v1:Namespace"}),
        check=_namespace,
    ),
)
