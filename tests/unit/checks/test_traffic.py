"""Traffic that cannot work is refused before anything is registered, in words that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from infra.checks import check
from infra.checks.traffic import traffic_problems
from infra.model.service import HealthCheck, LoadBalancing, MeshAlgorithm, Service, TargetGroupAlgorithm
from infra.model.stack import StackSettings
from infra.problems import Problem
from infra.traffic import timeouts
from services import CATALOGUE
from tests.unit.stack_files import STACKS, load
from tests.unit.traffic.mesh_objects import named, with_changes

PROD = load("prod")


def found(services: Sequence[Service], settings: StackSettings = PROD) -> list[Problem]:
    return list(traffic_problems(settings, services))


def only(services: Sequence[Service], settings: StackSettings = PROD) -> Problem:
    (problem,) = found(services, settings)
    return problem


def with_hosts(service: str, *hosts: str) -> StackSettings:
    own = PROD.services[service].model_copy(update={"internet_hosts": hosts})
    return PROD.model_copy(update={"services": {**PROD.services, service: own}})


def with_timeout(service: str, operation: str, milliseconds: int) -> tuple[Service, ...]:
    objectives = tuple(
        type(o).model_validate({**dict(o), "timeout_ms": milliseconds}) if o.operation == operation else o
        for o in named(service).objectives
    )
    # A grace that fits, so that only the timeout is wrong.
    return with_changes(service, objectives=objectives, termination_grace_seconds=600)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stacks_traffic_is_sound(stack: str) -> None:
    assert not list(traffic_problems(load(stack), CATALOGUE))


def test_the_checks_of_a_stack_file_include_the_traffics() -> None:
    problems = check(
        PROD, catalogue=with_changes("parking", path_prefixes=("/auth", "/parking")), other_ranges={}
    )

    assert any("'/auth'" in problem.found for problem in problems)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path_prefixes": ("/parking", "/auth")}, "begins with"),
        ({"path_prefixes": ("/parking", "/authority")}, "begins with"),
        ({"rule_priority": 100}, "both have priority 100"),
        ({"health": HealthCheck(path="/other/health", tests="nothing")}, "under none of its path prefixes"),
    ],
    ids=["same path", "path in a path", "same priority", "health path of nobody"],
)
def test_a_route_clash_names_both_sides(changes: dict[str, Any], said: str) -> None:
    problem = only(with_changes("parking", **changes))

    assert said in problem.found
    assert "services/" in problem.action


def test_rules_beyond_the_web_acls_capacity_are_refused() -> None:
    many = tuple(f"/p{number:03}" for number in range(70))
    services = with_changes("parking", path_prefixes=("/parking", *many), rule_priority=1000)
    problem = only(services)

    assert problem.key == "services (rules of the regional web ACL)"
    assert "1500" in problem.allowed


def test_a_limit_that_aws_does_not_take_is_named() -> None:
    settings = PROD.model_copy(
        update={"edge": PROD.edge.model_copy(update={"login_rate_limit_per_5_minutes": 5})}
    )
    (problem,) = traffic_problems(settings, CATALOGUE)

    assert "rate-login has limit 5" in problem.found
    assert problem.key == "services (rules of the global web ACL)"


def test_a_region_without_the_edge_is_not_asked_for_its_web_acl() -> None:
    settings = load("prod-eu-west-1")
    broken = settings.model_copy(
        update={"edge": settings.edge.model_copy(update={"login_rate_limit_per_5_minutes": 5})}
    )

    assert not list(traffic_problems(broken, CATALOGUE))


def test_a_timeout_longer_than_the_load_balancers_is_refused() -> None:
    problem = only(with_timeout("analytics", "report-generation", 41_000))

    assert problem.key == "services/analytics.py objectives.report-generation"
    assert problem.found == (
        "the ingress controller's wait for analytics 46 s, the load balancer's idle timeout 45 s"
    )
    assert "under 45 s" in problem.allowed


def test_a_timeout_under_its_objective_is_refused() -> None:
    problem = only(with_timeout("payment", "payment-processing", 1500))

    assert problem.key == "services/payment.py objectives.payment-processing.timeout_ms"
    assert "the objective of payment-processing 2 s" in problem.found


def test_a_timeout_that_leaves_no_try_its_objective_is_refused() -> None:
    problem = only(with_timeout("parking", "vehicle-search", 1400))

    # Three tries in 1.4 s have less than the objective's half second each.
    assert problem.found.startswith("the objective of vehicle-search 0.5 s, the mesh's wait for one try")


def test_a_grace_that_would_cut_requests_is_refused() -> None:
    problem = only(with_changes("analytics", termination_grace_seconds=50))

    assert problem.found == "50 s"
    assert "more than 55 s" in problem.allowed


@pytest.mark.parametrize("algorithm", [MeshAlgorithm.COOKIE_HASH, MeshAlgorithm.CLIENT_ADDRESS_HASH])
def test_a_hash_with_its_own_zone_first_is_refused(algorithm: MeshAlgorithm) -> None:
    balancing = LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN, mesh=algorithm, locality_affinity=True
    )
    problem = only(with_changes("payment", load_balancing=balancing))

    assert problem.key == "services/payment.py load_balancing.locality_affinity"


def test_hosts_for_a_service_that_may_not_leave_are_refused() -> None:
    problem = only(CATALOGUE, with_hosts("auth", "api.example.com"))

    assert problem.key == "parking:services.auth.internetHosts"
    assert problem.found == "api.example.com"


def test_hosts_for_a_service_that_calls_the_internet_are_welcome() -> None:
    assert not found(CATALOGUE, with_hosts("payment", "api.gateway.example"))


def test_connections_kept_in_the_wrong_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "CLOUDFRONT_KEEP_ALIVE_SECONDS", 45)
    problem = only(CATALOGUE)

    assert problem.key == "infra/traffic/timeouts.py"
    assert "CloudFront's keep-alive 45 s" in problem.found


def test_an_unknown_algorithm_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"least-request.*cookie-hash.*client-address-hash.*resource-aware"):
        LoadBalancing.model_validate({"target_group": "round_robin", "mesh": "fastest"}, strict=False)


def with_canary(service: str, **changes: Any) -> StackSettings:
    own = PROD.services[service].model_copy(update=changes)
    return PROD.model_copy(update={"services": {**PROD.services, service: own}})


def test_a_share_without_an_image_on_trial_is_refused() -> None:
    problem = only(CATALOGUE, with_canary("auth", canary_percent=10))

    assert problem.key == "parking:services.auth.canaryPercent"
    assert "canaryTag" in problem.action


def test_a_share_of_an_image_on_trial_is_welcome() -> None:
    assert not found(CATALOGUE, with_canary("auth", canary_percent=10, canary_tag="1.1.0"))


def test_a_movable_image_on_trial_is_refused() -> None:
    assert only(CATALOGUE, with_canary("auth", canary_tag="latest")).key == "parking:services.auth.canaryTag"
