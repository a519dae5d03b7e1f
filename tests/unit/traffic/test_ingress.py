"""The ingress: one server, a route and a limit for each service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.model.service import HealthCheck, Service
from infra.traffic.ingress import burst, rate_per_second
from services import CATALOGUE
from tests.unit.traffic.mesh_objects import ORIGIN, named, spec, specs, with_changes


def server() -> Any:
    return spec("VirtualServer", "ingress")


def route(service: Service) -> Any:
    return spec("VirtualServerRoute", service.workload_name)


def subroutes(service: Service) -> dict[str, Any]:
    return {item["path"]: item for item in route(service)["subroutes"]}


def upstreams(service: Service) -> dict[str, Any]:
    return {item["name"]: item for item in route(service)["upstreams"]}


def headers(subroute: Any) -> dict[str, str]:
    return {item["name"]: item["value"] for item in subroute["action"]["proxy"]["requestHeaders"]["set"]}


def text(body: str) -> Any:
    """A body as NGINX answers it: it takes the backslashes away."""
    return json.loads(body.replace("\\", ""))


def test_there_is_one_server_so_that_it_answers_for_every_host() -> None:
    assert set(specs("VirtualServer")) == {("parking", "ingress")}
    assert server()["host"] == ORIGIN


def test_the_server_speaks_tls_with_the_certificate_that_is_renewed_by_itself() -> None:
    certificate = spec("Certificate", "ingress")

    assert server()["tls"] == {"secret": certificate["secretName"]}
    assert certificate["dnsNames"] == [ORIGIN]
    assert certificate["duration"] == "2160h"
    assert certificate["renewBefore"] == "720h"
    assert certificate["issuerRef"] == {"group": "cert-manager.io", "kind": "Issuer", "name": "ingress"}
    assert spec("Issuer", "ingress") == {"selfSigned": {}}


def test_every_path_prefix_goes_to_its_service_and_the_rest_is_unknown() -> None:
    *delegated, last = server()["routes"]

    assert {item["path"]: item["route"] for item in delegated} == {
        service.path_prefixes[0]: f"parking/{service.workload_name}" for service in CATALOGUE
    }
    assert last["path"] == "/"
    assert last["action"]["return"]["code"] == 404
    assert text(last["action"]["return"]["body"]) == {"error": "not found"}


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_the_mesh_picks_the_pod(service: Service) -> None:
    for upstream in route(service)["upstreams"]:
        assert upstream["use-cluster-ip"] is True
        assert (upstream["service"], upstream["port"]) == (service.workload_name, 8080)
        # A second try is the mesh's to decide, which knows what is idempotent.
        assert upstream["next-upstream"] == "off"
    for subroute in route(service)["subroutes"]:
        assert headers(subroute)["Host"] == f"{service.workload_name}.parking.svc.cluster.local"


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_services_read_the_resolved_address_and_no_other(service: Service) -> None:
    for subroute in route(service)["subroutes"]:
        assert headers(subroute)["X-Forwarded-For"] == "${remote_addr}"
        assert headers(subroute)["X-Viewer-Address"] == "${remote_addr}"


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_a_health_path_is_unlimited_quick_and_answered_by_the_service_itself(service: Service) -> None:
    health = subroutes(service)[service.health.path]
    upstream = upstreams(service)[health["action"]["proxy"]["upstream"]]

    assert "policies" not in health
    assert "errorPages" not in health
    assert int(upstream["read-timeout"][:-1]) < service.health.timeout_seconds


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_requests_are_limited_for_each_client_address(service: Service) -> None:
    limit = spec("Policy", service.workload_name)["rateLimit"]

    assert subroutes(service)[service.path_prefixes[0]]["policies"] == [{"name": service.workload_name}]
    assert limit["key"] == "${binary_remote_addr}"
    assert limit["rejectCode"] == 429
    assert limit["noDelay"] is True


def test_a_client_may_spend_a_tenth_of_its_window_at_once_and_then_its_mean() -> None:
    auth = named("auth")
    limit = spec("Policy", "auth-service")["rateLimit"]

    assert auth.rate_limit_per_5_minutes == 1000
    assert (limit["rate"], limit["burst"]) == ("4r/s", 100)
    assert (rate_per_second(auth), burst(auth)) == (4, 100)


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_bodies_are_small(service: Service) -> None:
    assert {item["client-max-body-size"] for item in route(service)["upstreams"]} == {"1m"}


def test_the_ingress_waits_longer_than_the_mesh() -> None:
    read = {service.name: upstreams(service)[service.name]["read-timeout"] for service in CATALOGUE}

    assert read == {
        "auth": "15s",
        "parking": "15s",
        "payment": "15s",
        "notification": "15s",
        "analytics": "25s",
        "configuration": "15s",
    }


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_errors_of_the_way_are_json(service: Service) -> None:
    pages = subroutes(service)[service.path_prefixes[0]]["errorPages"]

    assert {code for page in pages for code in page["codes"]} == {413, 429, 502, 503, 504}
    for page in pages:
        assert page["return"]["type"] == "application/json"
        assert set(text(page["return"]["body"])) == {"error"}
        # Without a code of its own, the page keeps the error's.
        assert "code" not in page["return"]


def test_a_service_with_two_prefixes_has_two_routes_and_one_health_path() -> None:
    services = with_changes(
        "auth",
        path_prefixes=("/auth", "/login"),
        health=HealthCheck(path="/auth/health", tests="a token"),
    )
    routes = specs("VirtualServerRoute", services)

    assert {"auth-service", "auth-service-1"} <= {name for _, name in routes}
    assert [item["path"] for item in routes["parking", "auth-service-1"]["subroutes"]] == ["/login"]
    delegated = spec("VirtualServer", "ingress", services)["routes"]
    assert {"path": "/login", "route": "parking/auth-service-1"} in delegated


def test_nothing_is_written_into_nginx_by_hand() -> None:
    for kind in ("VirtualServer", "VirtualServerRoute"):
        for made in specs(kind).values():
            assert "snippets" not in json.dumps(made)
