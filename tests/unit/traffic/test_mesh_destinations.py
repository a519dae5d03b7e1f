"""Which pod the mesh picks, how much goes there and when it stops."""

from __future__ import annotations

from typing import Any

import pytest

from infra.model.service import LoadBalancing, MeshAlgorithm, Service, TargetGroupAlgorithm
from infra.traffic.mesh.destinations import REQUESTS_PER_PROXY, load_balancer
from services import CATALOGUE
from tests.unit.traffic.mesh_objects import changed, named, objects, spec, specs, with_changes

NAMES = [service.name for service in CATALOGUE]
HASHED = {"auth", "payment"}


def balancing(name: str) -> Any:
    return spec("DestinationRule", f"{name}-service")["trafficPolicy"]["loadBalancer"]


def policy(service: Service) -> Any:
    return spec("DestinationRule", service.workload_name)["trafficPolicy"]


def balanced(mesh: MeshAlgorithm, *, locality: bool = False) -> Service:
    return changed(
        named("auth"),
        load_balancing=LoadBalancing(
            target_group=TargetGroupAlgorithm.ROUND_ROBIN, mesh=mesh, locality_affinity=locality
        ),
    )


def test_every_service_has_one_rule_for_its_whole_name() -> None:
    rules = specs("DestinationRule")

    assert set(rules) == {("parking", f"{name}-service") for name in NAMES}
    assert {rule["host"] for rule in rules.values()} == {
        f"{name}-service.parking.svc.cluster.local" for name in NAMES
    }


def test_auth_sessions_stick_by_a_cookie_of_its_own_paths_for_an_hour() -> None:
    cookie = balancing("auth")["consistentHash"]["httpCookie"]

    assert (cookie["name"], cookie["path"], cookie["ttl"]) == ("auth-affinity", "/auth", "3600s")
    assert {item["name"] for item in cookie["attributes"]} == {"Secure", "HttpOnly", "SameSite"}


def test_payment_follows_the_client_address_that_the_ingress_resolved() -> None:
    assert balancing("payment")["consistentHash"]["httpHeaderName"] == "X-Viewer-Address"
    headers = spec("VirtualServerRoute", "payment-service")["subroutes"][0]["action"]["proxy"][
        "requestHeaders"
    ]
    assert {"name": "X-Viewer-Address", "value": "${remote_addr}"} in headers["set"]


def test_parking_prefers_the_least_busy_pod_of_the_callers_zone() -> None:
    assert balancing("parking") == {"simple": "LEAST_REQUEST", "localityLbSetting": {"enabled": True}}
    # Failing over to other zones needs to know that a pod fails.
    assert policy(named("parking"))["outlierDetection"]["consecutive5xxErrors"] == 5


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"parking"}))
def test_other_services_use_the_pods_of_all_zones_alike(name: str) -> None:
    assert balancing(name)["localityLbSetting"] == {"enabled": False}


@pytest.mark.parametrize("name", ["notification", "configuration", "analytics"])
def test_the_rest_goes_to_the_least_busy(name: str) -> None:
    assert balancing(name)["simple"] == "LEAST_REQUEST"
    assert "consistentHash" not in balancing(name)


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_a_pod_that_fails_five_times_in_a_row_is_left_out_for_half_a_minute(service: Service) -> None:
    outliers = policy(service)["outlierDetection"]

    assert outliers["consecutive5xxErrors"] == 5
    assert outliers["consecutiveLocalOriginFailures"] == 5
    assert (outliers["interval"], outliers["baseEjectionTime"]) == ("10s", "30s")


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_half_of_the_pods_stay_in_whatever_they_answer(service: Service) -> None:
    assert policy(service)["outlierDetection"]["maxEjectionPercent"] == 50


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_the_circuit_breaks_past_a_proxys_share_of_all_users(service: Service) -> None:
    pool = policy(service)["connectionPool"]

    # 10,000 users, 40% more in season, over three ingress pods: 4,667, in whole thousands.
    assert REQUESTS_PER_PROXY == 5000
    assert pool["tcp"]["maxConnections"] == pool["http"]["http2MaxRequests"] == 5000
    assert pool["http"]["http1MaxPendingRequests"] == 1000


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_retries_never_add_more_than_a_fifth(service: Service) -> None:
    assert policy(service)["retryBudget"]["percent"] == 20


def test_there_are_subsets_for_stable_and_canary_by_version() -> None:
    assert spec("DestinationRule", "auth-service")["subsets"] == [
        {"name": "stable", "labels": {"version": "stable"}},
        {"name": "canary", "labels": {"version": "canary"}},
    ]


@pytest.mark.parametrize("algorithm", [MeshAlgorithm.COOKIE_HASH, MeshAlgorithm.CLIENT_ADDRESS_HASH])
def test_a_hash_that_would_see_other_pods_in_each_zone_is_refused(algorithm: MeshAlgorithm) -> None:
    with pytest.raises(ValueError, match="contradict each other"):
        load_balancer(balanced(algorithm, locality=True))


@pytest.mark.parametrize("algorithm", list(MeshAlgorithm))
def test_every_algorithm_has_a_setting(algorithm: MeshAlgorithm) -> None:
    made = load_balancer(balanced(algorithm))

    assert ("consistentHash" in made) == ("hash" in algorithm.value)
    assert ("simple" in made) != ("consistentHash" in made)


def test_analytics_pods_are_weighed_by_the_load_they_report() -> None:
    patches = spec("EnvoyFilter", "analytics-service-reported-load", namespace="istio-system")[
        "configPatches"
    ]
    first, second = (
        item["typed_extension_config"]
        for item in patches[0]["patch"]["value"]["load_balancing_policy"]["policies"]
    )

    assert first["name"] == "envoy.load_balancing_policies.client_side_weighted_round_robin"
    assert first["typed_config"]["metric_names_for_computing_utilization"] == [
        "cpu_utilization",
        "mem_utilization",
    ]
    assert second["name"] == "envoy.load_balancing_policies.least_request"
    hosts = {item["match"]["cluster"]["service"] for item in patches}
    assert hosts == {"analytics-service.parking.svc.cluster.local"}
    assert {item["match"]["cluster"]["subset"] for item in patches} == {"stable", "canary"}


def test_only_the_resource_aware_service_needs_a_filter() -> None:
    assert set(specs("EnvoyFilter")) == {("istio-system", "analytics-service-reported-load")}


def test_a_session_stays_on_one_version_while_a_canary_is_tried() -> None:
    services = with_changes("auth", canary_percent=10)
    patches = spec("EnvoyFilter", "auth-service-steady-shares", services, namespace="istio-system")
    routes = {
        item["match"]["routeConfiguration"]["vhost"]["route"]["name"] for item in patches["configPatches"]
    }
    weighted = {
        route["name"]
        for route in spec("VirtualService", "auth-service", services)["http"]
        if len(route["route"]) > 1
    }

    assert routes == weighted
    value = {"route": {"weighted_clusters": {"use_hash_policy": True}}}
    assert all(item["patch"] == {"operation": "MERGE", "value": value} for item in patches["configPatches"])


def test_a_canary_without_affinity_needs_no_filter() -> None:
    services = with_changes("parking", canary_percent=10)

    assert ("istio-system", "parking-service-steady-shares") not in specs("EnvoyFilter", services)


def test_hashes_are_exactly_where_the_design_asks_for_them() -> None:
    assert {name for name in NAMES if "consistentHash" in balancing(name)} == HASHED


def test_only_filters_silence_the_notice_that_istio_gives_of_every_filter() -> None:
    made = objects(with_changes("auth", canary_percent=10))
    silenced = {item.name for item in made if item.annotations}

    assert silenced == {item.name for item in made if item.kind == "EnvoyFilter"}
    assert {value for item in made for value in item.annotations.values()} == {"IST0133"}
