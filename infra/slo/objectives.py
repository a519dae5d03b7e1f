"""The service-level objectives of the catalogue as one table, and what their error budgets are worth.

Source: the specification's response time targets, availability targets and error rate budgets, which `services/`
holds as data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.model.service import Objective, Service

WINDOW_DAYS = 30
"""Length of the window that an error budget is counted over."""
MINUTES_A_MONTH = WINDOW_DAYS * 24 * 60


class Kind(StrEnum):
    """What an objective promises: value of the label `slo`."""

    AVAILABILITY = "availability"
    LATENCY = "latency"


@dataclass(frozen=True, kw_only=True)
class SloRow:
    """One line of the table of objectives, for reports.

    Attributes:
        service: Name of the service, e.g. `auth`.
        operation: Name of the operation; none for a service with availability alone.
        percentile: Share of the operation's requests that answer in time, in percent.
        target_ms: How fast they answer, in milliseconds.
        availability_percent: Share of all requests of the service that do not fail, in percent.
        error_budget_minutes: What the availability leaves of 30 days for a complete outage, in minutes.
        error_class: Error budget class of the specification.
        max_error_percent: Failed requests that the class allows at any time, in percent.
    """

    service: str
    operation: str | None
    percentile: float | None
    target_ms: int | None
    availability_percent: float
    error_budget_minutes: float
    error_class: str
    max_error_percent: float


@dataclass(frozen=True, kw_only=True)
class Slo:
    """An objective with its budget.

    Attributes:
        service: The service as rules and metrics know it, e.g. `auth-service`.
        kind: What is promised.
        budget: Share of requests that may break the promise, 0 to 1.
        objective: The operation, for a latency objective.
    """

    service: str
    kind: Kind
    budget: float
    objective: Objective | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its series: service, `slo` and, for latency, operation."""
        labels = {"service": self.service, "slo": self.kind.value}
        return labels if self.objective is None else {**labels, "operation": self.objective.operation}


def share(percent: float) -> float:
    """What a percentage of good requests leaves for bad ones, without binary noise: 99.95 leaves 0.0005."""
    return round((100 - percent) / 100, 6)


def error_budget_minutes(availability_percent: float) -> float:
    """Minutes of complete outage that an availability allows in 30 days, to a hundredth."""
    return round(share(availability_percent) * MINUTES_A_MONTH, 2)


def slos(service: Service) -> Iterator[Slo]:
    """Every objective of a service: its availability, then the latency of each operation."""
    name = service.workload_name
    yield Slo(service=name, kind=Kind.AVAILABILITY, budget=share(service.availability_percent))
    for objective in service.objectives:
        yield Slo(service=name, kind=Kind.LATENCY, budget=share(objective.percentile), objective=objective)


def slo_table(services: Sequence[Service]) -> tuple[SloRow, ...]:
    """The objectives of services, a line an operation, in the catalogue's order.

    A service without operations of its own has one line with its availability.
    """
    return tuple(
        _row(service, objective) for service in services for objective in service.objectives or (None,)
    )


def _row(service: Service, objective: Objective | None) -> SloRow:
    return SloRow(
        service=service.name,
        operation=objective and objective.operation,
        percentile=objective and objective.percentile,
        target_ms=objective and objective.target_ms,
        availability_percent=service.availability_percent,
        error_budget_minutes=error_budget_minutes(service.availability_percent),
        error_class=service.error_class.value,
        max_error_percent=service.error_class.max_error_percent,
    )
