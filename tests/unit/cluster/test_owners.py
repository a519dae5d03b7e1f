"""One owner for each number of a workload."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cluster.owners import conflicts

WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def item(kind: str, name: str = "web", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "parking"}, "spec": spec}


def scaled(*types: str, name: str = "web") -> dict[str, Any]:
    return item("ScaledObject", name, scaleTargetRef=WEB, triggers=[{"type": kind} for kind in types])


def hpa(**metadata: Any) -> dict[str, Any]:
    found = item(
        "HorizontalPodAutoscaler",
        "web-hpa",
        scaleTargetRef=WEB,
        metrics=[{"type": "Resource", "resource": {"name": "cpu"}}, {"type": "External", "external": {}}],
    )
    found["metadata"] |= metadata
    return found


def vertical(mode: str = "Auto", **policy: Any) -> dict[str, Any]:
    resources = {"containerPolicies": [policy]} if policy else None
    return item(
        "VerticalPodAutoscaler",
        "web-vpa",
        targetRef=WEB,
        updatePolicy={"updateMode": mode},
        resourcePolicy=resources,
    )


DEPLOYMENT = item("Deployment", template={})
COUNTED = item("Deployment", replicas=3)


@pytest.mark.parametrize(
    "objects",
    [
        [DEPLOYMENT, scaled("cpu", "prometheus")],
        [COUNTED],
        [DEPLOYMENT, scaled("prometheus"), vertical()],
        [DEPLOYMENT, scaled("cpu"), vertical("Off")],
        [DEPLOYMENT, scaled("cpu"), vertical(controlledResources=["memory"])],
        # KEDA's own HPA is the ScaledObject over again.
        [DEPLOYMENT, scaled("cpu"), hpa(ownerReferences=[{"kind": "ScaledObject"}])],
    ],
)
def test_one_owner_for_each_is_no_conflict(objects: list[dict[str, Any]]) -> None:
    assert conflicts(objects) == []


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([COUNTED, scaled("cpu")], "replicas are set by its own spec.replicas 3 and by ScaledObject web"),
        ([scaled("cpu"), scaled("cpu", name="second")], "by ScaledObject web and by ScaledObject second"),
        ([scaled("prometheus"), hpa()], "by ScaledObject web and by HorizontalPodAutoscaler web-hpa"),
        ([scaled("cpu", "memory"), vertical()], "cpu and memory moves both"),
        ([hpa(), vertical(controlledResources=["cpu"])], "cpu moves both the replicas"),
        (
            [vertical(), {**vertical(), "metadata": {"name": "b", "namespace": "parking"}}],
            "size of pods is set by",
        ),
    ],
)
def test_two_owners_are_told(objects: list[dict[str, Any]], words: str) -> None:
    (found,) = conflicts(objects)

    assert found.startswith("Deployment parking/web: ")
    assert words in found


def test_workloads_of_one_name_in_two_namespaces_are_two() -> None:
    other = {**COUNTED, "metadata": {"name": "web", "namespace": "elsewhere"}}

    assert conflicts([other, scaled("cpu")]) == []
