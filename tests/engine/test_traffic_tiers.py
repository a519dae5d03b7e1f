"""The traffic tiers' numbers, and how fast each tier fails over, read back from the state of every stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.traffic.failover import (
    ALIAS_TTL_SECONDS,
    REGION_FAILOVER_OBJECTIVE_SECONDS,
    SERVICE_RESTART_OBJECTIVE_SECONDS,
    endpoint_failover_seconds,
    region_failover_seconds,
)
from tests.engine.platform import Platform, Resource
from tests.unit.stack_files import STACKS

States = dict[str, list[Resource]]
# Service: algorithm, seconds of the cookie (0 none), anomaly mitigation, health path, requests in five minutes.
TABLE: dict[str, tuple[str, int, str | None, str, int]] = {
    "auth": ("round_robin", 3600, None, "/auth/health", 1000),
    "parking": ("least_outstanding_requests", 0, None, "/parking/health", 2000),
    "payment": ("round_robin", 3600, None, "/payments/health", 500),
    "notification": ("round_robin", 0, None, "/notifications/health", 500),
    "analytics": ("weighted_random", 0, "on", "/analytics/health", 500),
    "configuration": ("round_robin", 0, None, "/config/health", 1000),
}


def inputs(states: States, stack: str, token: str) -> list[dict[str, Any]]:
    return [resource.inputs for resource in states[stack] if resource.type == token]


def named(states: States, stack: str, kind: str) -> dict[str, Any]:
    """Specifications of a kind of Kubernetes object, by name."""
    return {
        resource.inputs["metadata"]["name"]: resource.inputs["spec"]
        for resource in states[stack]
        if resource.type.startswith("kubernetes:") and resource.type.endswith(f":{kind}")
    }


def target_group(states: States, stack: str, service: str) -> dict[str, Any]:
    (found,) = [
        resource.inputs
        for resource in states[stack]
        if resource.type == "aws:lb/targetGroup:TargetGroup" and resource.name == f"load-balancer-{service}"
    ]
    return found


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", TABLE)
def test_a_target_group_has_the_tables_numbers(states: States, stack: str, service: str) -> None:
    algorithm, cookie, anomalies, path, _ = TABLE[service]
    group = target_group(states, stack, service)
    sticky, health = group["stickiness"], group["healthCheck"]

    assert group["loadBalancingAlgorithmType"] == algorithm
    assert (sticky.get("enabled", False), sticky.get("cookieDuration", 0)) == (cookie > 0, cookie)
    assert group.get("loadBalancingAnomalyMitigation") == anomalies
    assert group.get("slowStart", 0) == (30 if service == "auth" else 0)
    assert (health["path"], health["matcher"], health["protocol"]) == (path, "200", "HTTPS")
    assert group["deregistrationDelay"] == 30
    assert group["targetType"] == "ip"


@pytest.mark.parametrize("stack", STACKS)
def test_every_service_has_its_limit_in_the_regional_web_acl(states: States, stack: str) -> None:
    (acl,) = [acl for acl in inputs(states, stack, "aws:wafv2/webAcl:WebAcl") if acl["scope"] == "REGIONAL"]
    limits = {rule["name"]: rule["statement"]["rateBasedStatement"]["limit"] for rule in acl["rules"]}

    assert limits == {f"rate-{service}": row[4] for service, row in TABLE.items()}


@pytest.mark.parametrize("stack", STACKS)
def test_the_load_balancer_is_hardened(states: States, stack: str) -> None:
    (balancer,) = inputs(states, stack, "aws:lb/loadBalancer:LoadBalancer")
    listeners = {item["port"]: item for item in inputs(states, stack, "aws:lb/listener:Listener")}

    assert balancer["dropInvalidHeaderFields"] is True
    assert balancer["desyncMitigationMode"] == "strictest"
    assert balancer["enableCrossZoneLoadBalancing"] is True
    assert balancer["accessLogs"]["enabled"] is balancer["connectionLogs"]["enabled"] is True
    assert listeners[80]["defaultActions"][0]["redirect"]["statusCode"] == "HTTP_301"
    assert listeners[443]["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert listeners[443]["defaultActions"][0]["fixedResponse"]["statusCode"] == "403"


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_the_edge_keeps_what_the_specification_says_for_as_long(states: States, stack: str) -> None:
    policies = inputs(states, stack, "aws:cloudfront/cachePolicy:CachePolicy")
    (distribution,) = inputs(states, stack, "aws:cloudfront/distribution:Distribution")
    api = [p["parametersInCacheKeyAndForwardedToOrigin"] for p in policies if p["defaultTtl"] in (300, 3600)]

    assert sorted(policy["defaultTtl"] for policy in policies) == [0, 300, 3600, 31_536_000]
    assert distribution["httpVersion"] == "http2and3"
    assert distribution["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    for key in api:
        assert key["headersConfig"]["headers"]["items"] == ["Authorization", "X-Cache-Partition"]
        assert key["cookiesConfig"]["cookieBehavior"] == "allExcept"
    assert not inputs(states, stack, "aws:shield/protection:Protection")


@pytest.mark.parametrize("stack", STACKS)
def test_analytics_pods_are_weighed_by_what_they_report(states: States, stack: str) -> None:
    text = json.dumps(named(states, stack, "EnvoyFilter")["analytics-service-reported-load"])

    assert "ClientSideWeightedRoundRobin" in text
    assert "LeastRequest" in text
    assert '["cpu_utilization", "mem_utilization"]' in text


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", TABLE)
def test_failing_pods_are_left_out_and_only_reads_are_tried_again(
    states: States, stack: str, service: str
) -> None:
    policy = named(states, stack, "DestinationRule")[f"{service}-service"]["trafficPolicy"]
    outliers = policy["outlierDetection"]
    routes = named(states, stack, "VirtualService")[f"{service}-service"]["http"]

    assert (outliers["consecutive5xxErrors"], outliers["interval"]) == (5, "10s")
    assert (outliers["baseEjectionTime"], outliers["maxEjectionPercent"]) == ("30s", 50)
    for route in routes:
        methods = {match.get("method", {}).get("exact") for match in route.get("match", [{}])}
        reads = route["name"] != "health" and methods <= {"GET", "HEAD", "OPTIONS"}
        assert route["retries"]["attempts"] == (2 if reads else 0), route["name"]


@pytest.mark.parametrize("stack", STACKS)
def test_a_region_is_left_within_two_minutes(states: States, stack: str) -> None:
    checks = inputs(states, stack, "aws:route53/healthCheck:HealthCheck")
    asked = [check for check in checks if check["type"] == "HTTPS"]
    (region,) = [check for check in checks if check["type"] == "CALCULATED"]

    assert {check["resourcePath"] for check in asked} == {
        "/auth/health",
        "/parking/health",
        "/payments/health",
    }
    assert region["childHealthThreshold"] == len(asked) == 3
    for check in asked:
        seconds = region_failover_seconds(
            interval_seconds=check["requestInterval"],
            failures=check["failureThreshold"],
            ttl_seconds=ALIAS_TTL_SECONDS,
        )
        assert seconds == 90 < REGION_FAILOVER_OBJECTIVE_SECONDS


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("service", TABLE)
def test_a_dead_pod_is_left_out_within_thirty_seconds_by_every_tier(
    states: States, stack: str, service: str
) -> None:
    balancer = target_group(states, stack, service)["healthCheck"]
    routes = named(states, stack, "VirtualService")[f"{service}-service"]["http"]
    pod = named(states, stack, "Deployment")[f"{service}-service"]["template"]["spec"]
    (container,) = [item for item in pod["containers"] if item["name"] == f"{service}-service"]
    ready, startup = container["readinessProbe"], container["startupProbe"]

    assert balancer["interval"] * balancer["unhealthyThreshold"] + balancer["timeout"] < (
        SERVICE_RESTART_OBJECTIVE_SECONDS
    )
    slowest = max(float(route["timeout"][:-2]) for route in routes if route["timeout"].endswith("ms"))
    assert slowest / 1000 < SERVICE_RESTART_OBJECTIVE_SECONDS
    assert (
        endpoint_failover_seconds(
            period_seconds=ready["periodSeconds"],
            failures=ready["failureThreshold"],
            timeout_seconds=ready["timeoutSeconds"],
        )
        < SERVICE_RESTART_OBJECTIVE_SECONDS
    )
    assert startup["periodSeconds"] * startup["failureThreshold"] <= SERVICE_RESTART_OBJECTIVE_SECONDS
    assert pod["terminationGracePeriodSeconds"] > container["lifecycle"]["preStop"]["sleep"]["seconds"] > 30


@pytest.mark.parametrize("stack", STACKS)
def test_payment_and_auth_go_before_analytics_and_no_budget_blocks_a_drain(
    states: States, stack: str
) -> None:
    classes = {
        resource.inputs["metadata"]["name"]: resource.inputs["value"]
        for resource in states[stack]
        if resource.type.endswith(":PriorityClass")
    }
    deployments = named(states, stack, "Deployment")
    rank = {
        service: classes[deployments[f"{service}-service"]["template"]["spec"]["priorityClassName"]]
        for service in TABLE
    }

    assert rank["payment"] == rank["auth"] > rank["parking"] > rank["analytics"]
    for service in TABLE:
        budget = named(states, stack, "PodDisruptionBudget")[f"{service}-service"]
        assert budget["maxUnavailable"] == "10%"
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_an_unknown_algorithm_is_refused_before_anything_is_registered(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    own = Platform.copy_to(tmp_path_factory.mktemp("wrong") / "program")
    path = own.root / "services" / "parking.py"
    path.write_text(path.read_text().replace("mesh=MeshAlgorithm.LEAST_REQUEST", 'mesh="fastest"'))
    said = own.refused("preview", "--stack", "staging")

    assert "services/parking.py" in said
    assert "MeshAlgorithm.LEAST_REQUEST" in said
    assert "load-balancer" not in said
