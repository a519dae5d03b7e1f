"""The workloads' namespace with its guards, and the cluster's priorities."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes as k8s
import pytest

from components.namespaces import PriorityClasses, WorkloadNamespace
from infra.cluster.scheduling import PRIORITIES
from infra.model.service import Criticality
from services import CATALOGUE
from tests.unit.components.building import Built, build, context

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
QUOTA = "kubernetes:core/v1:ResourceQuota"
PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
HIGHEST_USER_PRIORITY = 1_000_000_000


def namespace(**changes: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        component = WorkloadNamespace(
            "workloads",
            context=context(),
            namespace="parking",
            provider=k8s.Provider("cluster"),
            opts=opts,
            **changes,
        )
        return {"namespace": component.namespace}

    return build(make)


def priorities() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        component = PriorityClasses(
            "priorities", context=context(), provider=k8s.Provider("cluster"), opts=opts
        )
        return {"names": component.names}

    return build(make)


def test_pods_of_the_namespace_join_the_mesh() -> None:
    made = namespace()

    labels = made.recorder.one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["istio-injection"] == "enabled"
    assert made.outputs == {"namespace": "parking"}


def test_the_restricted_standard_is_enforced() -> None:
    labels = namespace().recorder.one(NAMESPACE).inputs["metadata"]["labels"]

    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_nothing_is_reachable_or_reaches_out_unless_a_policy_opens_it() -> None:
    policy = namespace().recorder.one(POLICY).inputs

    assert policy["metadata"] == {
        "name": "default-deny",
        "namespace": "parking",
        "labels": {"app.kubernetes.io/part-of": "parking", "app.kubernetes.io/managed-by": "pulumi"},
    }
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_no_service_of_the_namespace_opens_a_second_way_in() -> None:
    hard = namespace().recorder.one(QUOTA).inputs["spec"]["hard"]

    assert hard == {"services.loadbalancers": "0", "services.nodeports": "0"}


def test_pods_are_bounded_where_asked() -> None:
    hard = namespace(max_pods=250).recorder.one(QUOTA).inputs["spec"]["hard"]

    assert hard["count/pods"] == "250"


def test_a_namespace_without_room_for_a_pod_is_refused() -> None:
    with pytest.raises(ValueError, match="max_pods of namespace 'parking' is 0"):
        namespace(max_pods=0)


def test_containers_that_say_nothing_get_requests_and_limits() -> None:
    (item,) = namespace().recorder.one("kubernetes:core/v1:LimitRange").inputs["spec"]["limits"]

    assert item["type"] == "Container"
    assert set(item["defaultRequest"]) == set(item["default"]) == {"cpu", "memory"}
    assert "max" not in item


def test_every_criticality_has_its_class() -> None:
    made = priorities()
    classes = {c.inputs["metadata"]["name"]: c.inputs for c in made.recorder.of_type(PRIORITY)}

    assert set(classes) == {"parking-critical", "parking-standard", "parking-background"}
    assert {name: c["value"] for name, c in classes.items()} == {
        f"parking-{criticality.value}": value for criticality, value in PRIORITIES.items()
    }
    assert not any(c["globalDefault"] for c in classes.values())
    assert made.outputs["names"][Criticality.CRITICAL] == "parking-critical"


def test_payment_and_auth_come_before_analytics_and_all_before_nothing_of_the_system() -> None:
    value = {service.name: PRIORITIES[service.criticality] for service in CATALOGUE}

    assert value["payment"] == value["auth"] > value["parking"] > value["analytics"] > 0
    assert max(value.values()) < HIGHEST_USER_PRIORITY
