"""The arithmetic of failover by tier, against the specification's two minutes and thirty seconds."""

import pytest

from infra.model.service import Service
from infra.traffic.failover import (
    REGION_FAILOVER_OBJECTIVE_SECONDS,
    SERVICE_RESTART_OBJECTIVE_SECONDS,
    ejection_seconds,
    endpoint_failover_seconds,
    failover_paths,
    region_failover_seconds,
    target_failover_seconds,
)
from services import CATALOGUE


def test_a_region_is_left_after_90_seconds_under_the_objective_of_two_minutes() -> None:
    assert region_failover_seconds() == 90
    assert region_failover_seconds() < REGION_FAILOVER_OBJECTIVE_SECONDS == 120


def test_slow_checks_would_miss_the_objective() -> None:
    assert region_failover_seconds(interval_seconds=30) > REGION_FAILOVER_OBJECTIVE_SECONDS


def test_the_services_with_critical_operations_decide_about_their_region() -> None:
    assert failover_paths(CATALOGUE) == {
        "auth": "/auth/health",
        "parking": "/parking/health",
        "payment": "/payments/health",
    }


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda service: service.name)
def test_a_dead_pod_is_left_out_within_the_objective_of_a_services_restart(service: Service) -> None:
    assert target_failover_seconds(service.health) == 25 < SERVICE_RESTART_OBJECTIVE_SECONDS
    assert ejection_seconds(service) < SERVICE_RESTART_OBJECTIVE_SECONDS


def test_a_third_check_of_the_load_balancer_would_miss_the_objective() -> None:
    health = CATALOGUE[0].health.model_copy(update={"unhealthy_threshold": 3})

    assert target_failover_seconds(health) == 35 > SERVICE_RESTART_OBJECTIVE_SECONDS


def test_a_pod_that_fails_its_health_path_is_out_of_its_service_in_time() -> None:
    assert endpoint_failover_seconds(period_seconds=5, failures=2, timeout_seconds=5) == 15
