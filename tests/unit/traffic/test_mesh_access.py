"""Who may talk to whom in the mesh, and what leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from infra import ports
from infra.model.service import Service
from services import CATALOGUE
from tests.unit.traffic.mesh_objects import named, objects, spec, specs, with_changes

INGRESS = "cluster.local/ns/nginx-ingress/sa/nginx-ingress"


def principals(service: Service) -> list[str]:
    (rule,) = spec("AuthorizationPolicy", service.workload_name)["rules"]
    (source,) = rule["from"]
    return source["source"]["principals"]


def sidecar(name: str, services: tuple[Service, ...] = CATALOGUE) -> Any:
    return spec("Sidecar", f"{name}-service", services)


def known(name: str, services: tuple[Service, ...] = CATALOGUE) -> set[str]:
    (egress,) = sidecar(name, services)["egress"]
    return set(egress["hosts"])


def test_mutual_tls_is_strict_for_all_services() -> None:
    assert spec("PeerAuthentication", "default") == {"mtls": {"mode": "STRICT"}}


def test_the_one_port_outside_is_the_ingress_controllers_own_tls_port() -> None:
    ingress = spec("PeerAuthentication", "ingress-controller", namespace="nginx-ingress")

    assert ingress["mtls"] == {"mode": "STRICT"}
    assert ingress["portLevelMtls"] == {"443": {"mode": "DISABLE"}}
    assert ingress["selector"]["matchLabels"] == {"app.kubernetes.io/name": "nginx-ingress"}
    assert set(specs("PeerAuthentication")) == {
        ("parking", "default"),
        ("nginx-ingress", "ingress-controller"),
    }


@pytest.mark.parametrize("namespace", ["parking", "nginx-ingress"])
def test_what_no_policy_allows_is_refused(namespace: str) -> None:
    assert spec("AuthorizationPolicy", "deny-by-default", namespace=namespace) == {}


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_the_ingress_and_declared_callers_may_call_a_service_and_no_one_else(service: Service) -> None:
    callers = [f"cluster.local/ns/parking/sa/{caller}-service" for caller in service.called_by]

    assert sorted(principals(service)) == sorted([INGRESS, *callers])


def test_parking_may_call_payment_and_notification_may_not() -> None:
    allowed = principals(named("payment"))

    assert "cluster.local/ns/parking/sa/parking-service" in allowed
    assert "cluster.local/ns/parking/sa/notification-service" not in allowed


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_a_policy_names_the_services_pods_its_port_and_its_paths(service: Service) -> None:
    policy = spec("AuthorizationPolicy", service.workload_name)
    (rule,) = policy["rules"]
    (prefix,) = service.path_prefixes

    assert policy["action"] == "ALLOW"
    assert policy["selector"]["matchLabels"]["app.kubernetes.io/name"] == service.workload_name
    assert rule["to"] == [{"operation": {"ports": ["8080"], "paths": [prefix, f"{prefix}/*"]}}]


def test_no_policy_allows_by_anything_but_identity() -> None:
    for policy in specs("AuthorizationPolicy").values():
        for rule in policy.get("rules", []):
            assert [set(source["source"]) for source in rule["from"]] == [{"principals"}]
            assert "*" not in rule["from"][0]["source"]["principals"]


def test_a_service_knows_whom_it_calls_and_no_other_service() -> None:
    assert known("payment") == {
        "./auth-service.parking.svc.cluster.local",
        "./configuration-service.parking.svc.cluster.local",
        "./notification-service.parking.svc.cluster.local",
        "./parking-service.parking.svc.cluster.local",
        "./*.us-east-1.amazonaws.com",
    }


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_only_services_that_call_the_internet_may_leave_to_unknown_hosts(service: Service) -> None:
    mode = sidecar(service.name)["outboundTrafficPolicy"]["mode"]

    assert mode == ("ALLOW_ANY" if service.name in ("payment", "notification") else "REGISTRY_ONLY")


def test_named_hosts_on_the_internet_close_the_rest() -> None:
    services = with_changes("payment", internet_hosts=("api.gateway.example",))
    entry = spec("ServiceEntry", "payment-service", services)

    assert sidecar("payment", services)["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
    assert "./api.gateway.example" in known("payment", services)
    assert "./api.gateway.example" not in known("notification", services)
    assert entry["hosts"] == ["api.gateway.example"]
    assert entry["ports"] == [{"number": 443, "name": "tls", "protocol": "TLS"}]
    assert entry["exportTo"] == ["."]


def test_without_named_hosts_only_aws_is_an_entry() -> None:
    assert {name: entry["hosts"] for name, entry in specs("ServiceEntry").items()} == {
        ("parking", "aws"): ["*.us-east-1.amazonaws.com"]
    }


def test_the_ingress_knows_the_services_and_the_kubernetes_api_alone() -> None:
    ingress = spec("Sidecar", "ingress-controller", namespace="nginx-ingress")

    assert ingress["egress"] == [{"hosts": ["parking/*", "default/kubernetes.default.svc.cluster.local"]}]
    assert ingress["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}


def test_stores_are_no_business_of_the_mesh() -> None:
    numbers = {port["number"] for entry in specs("ServiceEntry").values() for port in entry["ports"]}

    assert not numbers & ports.DATA_PORTS


def test_keys_and_names_of_objects_are_unique() -> None:
    made = objects()

    assert len({(m.kind, m.namespace, m.name) for m in made}) == len(made)
