"""Who moves a workload's replicas and its pods' size, read from Kubernetes objects: one owner for each.

Two owners of one number undo each other's work for ever, and the API server takes both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Object = Mapping[str, Any]
Target = tuple[str, str, str]
"""Namespace, kind and name of a workload."""
_SIZED = ("cpu", "memory")


@dataclass(kw_only=True)
class _Owned:
    """What objects say of one workload."""

    counters: list[str] = field(default_factory=list[str])
    counted_by: set[str] = field(default_factory=set[str])
    sizers: list[str] = field(default_factory=list[str])
    sized: set[str] = field(default_factory=set[str])


def conflicts(objects: Iterable[Object]) -> list[str]:
    """What has two owners, a sentence each; empty when nothing has.

    Args:
        objects: Deployments and StatefulSets, ScaledObjects, HorizontalPodAutoscalers and VerticalPodAutoscalers;
            others are passed over.
    """
    owned: dict[Target, _Owned] = defaultdict(_Owned)
    for item in objects:
        _note(item, owned)
    return [sentence for target, own in sorted(owned.items()) for sentence in _conflicts(target, own)]


def _note(item: Object, owned: dict[Target, _Owned]) -> None:
    kind, metadata, spec = str(item["kind"]), _inner(item, "metadata"), _inner(item, "spec")
    namespace, who = str(metadata.get("namespace", "default")), f"{kind} {metadata['name']}"
    match kind:
        case "Deployment" | "StatefulSet" if "replicas" in spec:
            owned[namespace, kind, metadata["name"]].counters.append(
                f"its own spec.replicas {spec['replicas']}"
            )
        case "ScaledObject":
            own = owned[_target(namespace, spec["scaleTargetRef"])]
            own.counters.append(who)
            own.counted_by |= {str(trigger["type"]) for trigger in spec.get("triggers", ())}
        case "HorizontalPodAutoscaler" if not _is_keda_s(metadata):
            own = owned[_target(namespace, spec["scaleTargetRef"])]
            own.counters.append(who)
            own.counted_by |= {
                str(metric["resource"]["name"]) for metric in spec.get("metrics", ()) if "resource" in metric
            }
        case "VerticalPodAutoscaler" if _inner(spec, "updatePolicy").get("updateMode") != "Off":
            own = owned[_target(namespace, spec["targetRef"])]
            own.sizers.append(who)
            own.sized |= _sized(spec)
        case _:
            pass


def _inner(item: Object, name: str) -> dict[str, Any]:
    """A mapping inside another; empty where there is none."""
    return cast("dict[str, Any]", item.get(name) or {})


def _target(namespace: str, reference: Mapping[str, Any]) -> Target:
    return namespace, str(reference.get("kind", "Deployment")), str(reference["name"])


def _is_keda_s(metadata: Mapping[str, Any]) -> bool:
    owners = cast("list[dict[str, Any]]", metadata.get("ownerReferences") or [])
    return any(owner.get("kind") == "ScaledObject" for owner in owners)


def _sized(spec: Mapping[str, Any]) -> set[str]:
    policies = cast("list[dict[str, Any]]", _inner(spec, "resourcePolicy").get("containerPolicies") or [{}])
    return {name for policy in policies for name in policy.get("controlledResources") or _SIZED}


def _conflicts(target: Target, own: _Owned) -> Iterator[str]:
    namespace, kind, name = target
    where = f"{kind} {namespace}/{name}"
    if len(own.counters) > 1:
        yield f"{where}: replicas are set by {' and by '.join(own.counters)}"
    if len(own.sizers) > 1:
        yield f"{where}: the size of pods is set by {' and by '.join(own.sizers)}"
    if shared := sorted(own.sized & own.counted_by):
        yield (
            f"{where}: {' and '.join(shared)} moves both the replicas ({own.counters[-1]}) "
            f"and the size of the pods ({own.sizers[0]})"
        )
