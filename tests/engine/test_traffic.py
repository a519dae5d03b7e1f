"""The table of the mesh's algorithms and the chain of time-outs, read back from the state of every stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.platform import Resource
from tests.unit.stack_files import STACKS

States = dict[str, list[Resource]]
SERVICES = ("auth", "parking", "payment", "notification", "analytics", "configuration")
LEAST = {"simple": "LEAST_REQUEST"}
RING = {"minimumRingSize": 1024}
COOKIE = {
    "name": "auth-affinity",
    "path": "/auth",
    "ttl": "3600s",
    "attributes": [{"name": "Secure"}, {"name": "HttpOnly"}, {"name": "SameSite", "value": "Lax"}],
}
BALANCING: dict[str, tuple[dict[str, Any], bool]] = {
    "auth": ({"consistentHash": {"httpCookie": COOKIE, "ringHash": RING}}, False),
    "parking": (LEAST, True),
    "payment": ({"consistentHash": {"httpHeaderName": "X-Viewer-Address", "ringHash": RING}}, False),
    "notification": (LEAST, False),
    "analytics": (LEAST, False),
    "configuration": (LEAST, False),
}
"""How the mesh picks a pod, and whether those of the caller's zone come first."""


def custom(states: States, stack: str, kind: str) -> dict[str, Any]:
    """Specifications of the objects of a kind, by name."""
    return {
        resource.inputs["metadata"]["name"]: resource.inputs["spec"]
        for resource in states[stack]
        if resource.type.startswith("kubernetes:") and resource.type.endswith(f":{kind}")
    }


def one(states: States, stack: str, token: str) -> dict[str, Any]:
    (found,) = [resource.inputs for resource in states[stack] if resource.type == token]
    return found


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", SERVICES)
def test_the_mesh_picks_pods_by_the_services_algorithm(states: States, stack: str, service: str) -> None:
    settings = custom(states, stack, "DestinationRule")[f"{service}-service"]["trafficPolicy"]["loadBalancer"]
    algorithm, own_zone = BALANCING[service]

    assert settings == {**algorithm, "localityLbSetting": {"enabled": own_zone}}


@pytest.mark.parametrize("stack", STACKS)
def test_analytics_alone_is_weighed_by_reported_load(states: States, stack: str) -> None:
    filters = custom(states, stack, "EnvoyFilter")

    assert set(filters) == {"analytics-service-reported-load"}


@pytest.mark.parametrize("stack", STACKS)
def test_mutual_tls_is_strict_but_on_the_ingress_controllers_port(states: States, stack: str) -> None:
    peers = custom(states, stack, "PeerAuthentication")

    open_ports = {name: spec["portLevelMtls"] for name, spec in peers.items() if "portLevelMtls" in spec}

    assert {"default", "ingress-controller"} <= set(peers)
    assert {spec["mtls"]["mode"] for spec in peers.values()} == {"STRICT"}
    assert open_ports == {"ingress-controller": {"443": {"mode": "DISABLE"}}}


@pytest.mark.parametrize("stack", STACKS)
def test_every_service_has_its_objects(states: States, stack: str) -> None:
    names = {f"{service}-service" for service in SERVICES}

    for kind in ("VirtualService", "DestinationRule", "AuthorizationPolicy", "Sidecar", "VirtualServerRoute"):
        assert names <= set(custom(states, stack, kind)), kind


@pytest.mark.parametrize("stack", STACKS)
def test_each_tier_waits_longer_than_the_one_behind_it(states: States, stack: str) -> None:
    balancer = one(states, stack, "aws:lb/loadBalancer:LoadBalancer")["idleTimeout"]
    routes = custom(states, stack, "VirtualServerRoute")
    meshes = custom(states, stack, "VirtualService")

    for service in SERVICES:
        upstream = routes[f"{service}-service"]["upstreams"][0]
        slowest = max(float(item["timeout"].removesuffix("ms")) for item in timed(meshes, service))
        assert 60 > balancer > float(upstream["read-timeout"].removesuffix("s")) > slowest / 1000


def timed(meshes: dict[str, Any], service: str) -> list[Any]:
    """Routes of a service whose timeout is in milliseconds: all but its health path's."""
    return [route for route in meshes[f"{service}-service"]["http"] if route["timeout"].endswith("ms")]


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_cloudfront_outlasts_the_load_balancer_and_lets_connections_go_before_it(
    states: States, stack: str
) -> None:
    balancer = one(states, stack, "aws:lb/loadBalancer:LoadBalancer")["idleTimeout"]
    origins = one(states, stack, "aws:cloudfront/distribution:Distribution")["origins"]
    (api,) = [origin["customOriginConfig"] for origin in origins if "customOriginConfig" in origin]

    assert api["originReadTimeout"] > balancer > api["originKeepaliveTimeout"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_ingress_answers_for_the_origins_name(states: States, stack: str) -> None:
    domain = "staging.parking.example.com" if stack == "staging" else "parking.example.com"
    server = custom(states, stack, "VirtualServer")["ingress"]

    assert server["host"] == f"origin.{domain}"
    assert server["tls"] == {"secret": "ingress-tls"}
