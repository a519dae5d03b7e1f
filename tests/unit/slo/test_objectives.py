"""The table of objectives against the specification's numbers, and its arithmetic."""

from __future__ import annotations

import pytest

from infra.slo.objectives import Kind, error_budget_minutes, slo_table, slos
from services import AUTH, CATALOGUE

OPERATIONS = {
    ("auth", "login"): (200, 95),
    ("auth", "token-validation"): (50, 99),
    ("auth", "user-lookup"): (100, 95),
    ("parking", "vehicle-entry"): (300, 95),
    ("parking", "vehicle-search"): (500, 95),
    ("parking", "exit-processing"): (400, 95),
    ("payment", "fee-calculation"): (200, 95),
    ("payment", "payment-processing"): (2000, 95),
    ("payment", "payment-status"): (100, 95),
    ("analytics", "dashboard-load"): (1000, 95),
    ("analytics", "report-generation"): (5000, 90),
    ("analytics", "real-time-metrics"): (200, 95),
}
"""Target in milliseconds and percentile of every operation that the specification names."""
AVAILABILITY = {
    "auth": 99.95,
    "parking": 99.9,
    "payment": 99.95,
    "notification": 99.5,
    "analytics": 99.5,
    "configuration": 99.99,
}
ERROR_LIMITS = {"critical": 0.1, "standard": 1.0, "background": 5.0}
"""Error rate budgets by class, in percent."""


def test_the_table_has_every_operation_of_the_specification_and_no_other() -> None:
    rows = {
        (row.service, row.operation): (row.target_ms, row.percentile)
        for row in slo_table(CATALOGUE)
        if row.operation
    }

    assert rows == OPERATIONS


def test_the_table_has_every_service_s_availability() -> None:
    assert {row.service: row.availability_percent for row in slo_table(CATALOGUE)} == AVAILABILITY


def test_a_service_without_operations_has_a_line_of_its_own() -> None:
    alone = [row.service for row in slo_table(CATALOGUE) if row.operation is None]

    assert alone == ["notification", "configuration"]


def test_every_line_has_the_limit_of_its_error_class() -> None:
    rows = slo_table(CATALOGUE)

    assert {row.error_class for row in rows} == set(ERROR_LIMITS)
    assert all(row.max_error_percent == ERROR_LIMITS[row.error_class] for row in rows)


@pytest.mark.parametrize(("percent", "minutes"), [(99.99, 4.32), (99.95, 21.6), (99.9, 43.2), (99.5, 216.0)])
def test_a_budget_in_minutes_is_what_thirty_days_leave(percent: float, minutes: float) -> None:
    assert error_budget_minutes(percent) == minutes


def test_a_service_has_one_objective_for_availability_and_one_an_operation() -> None:
    found = [(slo.kind, slo.budget, slo.objective and slo.objective.operation) for slo in slos(AUTH)]

    assert found == [
        (Kind.AVAILABILITY, 0.0005, None),
        (Kind.LATENCY, 0.05, "login"),
        (Kind.LATENCY, 0.01, "token-validation"),
        (Kind.LATENCY, 0.05, "user-lookup"),
    ]


def test_availability_is_always_the_stricter_promise_than_the_error_class() -> None:
    """The class bounds errors at any time, the availability over 30 days; a looser one would never be felt."""
    for row in slo_table(CATALOGUE):
        assert 100 - row.availability_percent <= row.max_error_percent + 1e-9
