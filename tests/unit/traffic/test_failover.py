"""The arithmetic of region failover, against the specification's two minutes."""

from infra.traffic.failover import REGION_FAILOVER_OBJECTIVE_SECONDS, failover_paths, region_failover_seconds
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
