"""The chain of time-outs: who waits outside waits longer."""

from __future__ import annotations

import pytest

from infra.model.service import Objective, Service
from infra.traffic import timeouts
from infra.traffic.drain import least_grace_seconds, pre_stop_seconds
from infra.traffic.timeouts import Wait, impatient
from services import CATALOGUE
from tests.unit.traffic.mesh_objects import named


def objective(**changes: object) -> Objective:
    values: dict[str, object] = {
        "operation": "work",
        "target_ms": 300,
        "percentile": 95.0,
        "method": "GET",
        "path": "/work",
        **changes,
    }
    return Objective.model_validate(values)


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_every_tier_outlasts_the_one_behind_it(service: Service) -> None:
    assert not list(impatient(timeouts.answers(service)))
    assert not list(impatient(timeouts.health_checks(service)))
    for each in service.objectives:
        assert not list(impatient(timeouts.operation(each)))


def test_the_tiers_wait_in_the_order_of_a_requests_way() -> None:
    assert [wait.seconds for wait in timeouts.answers(named("analytics"))] == [60, 45, 25, 20]


def test_an_idle_connection_is_kept_longer_by_who_receives() -> None:
    assert [wait.seconds for wait in timeouts.idle_connections()] == [60, 45, 30]
    assert not list(impatient(timeouts.idle_connections()))


def test_equal_waits_are_no_order() -> None:
    outer, inner = Wait(who="outer", seconds=5), Wait(who="inner", seconds=5)

    assert list(impatient((outer, inner))) == [(outer, inner)]


@pytest.mark.parametrize(
    ("target", "expected"), [(50, 1000), (250, 1000), (300, 1200), (2000, 8000), (5000, 20_000)]
)
def test_the_mesh_waits_four_objectives_or_a_second(target: int, expected: int) -> None:
    assert timeouts.operation_ms(objective(target_ms=target)) == expected


def test_the_emergency_threshold_is_passed_before_a_request_is_given_up() -> None:
    # Specification: emergency scale at twice the objective.
    assert timeouts.TIMEOUT_FACTOR > 2


def test_other_paths_get_ten_seconds_or_the_slowest_operations_time() -> None:
    assert timeouts.other_ms(named("configuration")) == 10_000
    assert timeouts.other_ms(named("analytics")) == 20_000


def test_a_try_that_is_retried_may_take_longer_than_its_objective() -> None:
    patience, target = timeouts.operation(objective(method="GET"))
    once, _ = timeouts.operation(objective(method="POST"))

    assert (patience.seconds, target.seconds, once.seconds) == (0.4, 0.3, 1.2)


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_a_pods_grace_covers_its_drain_and_its_slowest_request(service: Service) -> None:
    assert pre_stop_seconds(service) > service.load_balancing.deregistration_delay_seconds
    assert service.termination_grace_seconds > least_grace_seconds(service)
    assert least_grace_seconds(service) == 35 + timeouts.other_ms(service) / 1000
