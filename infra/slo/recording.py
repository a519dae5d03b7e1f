"""Recording rules: what alerts, dashboards and people read instead of raw metrics.

Rates of five minutes are recorded first. Longer windows average those, so that a window of 30 days reads one
series and not every pod's counters; the mean of the bad over the mean of all weighs each request the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.model.service import Objective, Service
from infra.slo.burn_rates import WINDOWS
from infra.slo.metrics import DURATION, REQUESTS
from infra.slo.objectives import Kind, Slo, slos
from infra.slo.site import MetricsSite

BASE = "5m"
REQUEST_RATE = "service:http_requests:rate5m"
ERROR_RATE = "service:http_errors:rate5m"
ERROR_RATIO = "service:http_error_ratio"
OPERATION_RATE = "service_operation:http_requests:rate5m"
SLOW_RATE = "service_operation:http_slow_requests:rate5m"
SLOW_RATIO = "service_operation:http_slow_ratio"
BUDGET_LEFT = "service:error_budget_left:ratio"
RESPONSE = "service_operation:response_to_objective:ratio5m"
CPU = "service:cpu_to_request:ratio5m"
MEMORY = "service:memory_to_request:ratio"
REPLICAS = "service:replicas:current"
REPLICAS_LEFT = "service:replicas_left:count"
LAG_SECONDS = "service:consumer_lag:seconds"
SPEND = "platform:planned_spend_usd:month"
COST_PER_REQUEST = "platform:cost_per_request_usd:rate1h"
POOL_USE = "pooler:server_connections_to_pool:ratio"
SECONDS_A_MONTH = 30 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A recording rule.

    Attributes:
        record: Name of the series.
        expr: What it is, in PromQL.
        labels: Labels of its own.
    """

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def rule(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"record": self.record, "expr": self.expr, "labels": dict(self.labels)}


def ratio_name(kind: Kind, window: str) -> str:
    """Series of the share of bad requests over a window."""
    return f"{ERROR_RATIO if kind is Kind.AVAILABILITY else SLOW_RATIO}:avg{window}"


def selector(labels: Mapping[str, str]) -> str:
    """Labels as a selector, e.g. `{service="auth-service"}`."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def short(service: Service, site: MetricsSite) -> Iterator[Recording]:
    """Rates and ratios over minutes and hours, for the alerts that wake people."""
    name = {"service": service.workload_name}
    every = f"sum(rate({REQUESTS}{selector(name)}[{BASE}]))"
    failed = f'sum(rate({REQUESTS}{{service="{service.workload_name}",code=~"5.."}}[{BASE}]))'
    yield Recording(record=REQUEST_RATE, expr=every, labels=name)
    # Without a single failure there is no series of failures, but there are none of requests without a service.
    yield Recording(record=ERROR_RATE, expr=f"{failed} or 0 * {every}", labels=name)
    for objective in service.objectives:
        yield from _operation(name, objective)
    for slo in slos(service):
        for window in WINDOWS[:5]:
            yield _ratio(slo, window)
    yield from _capacity(service, site)


def long(service: Service, site: MetricsSite) -> Iterator[Recording]:
    """Ratios over days, and what is left of the budgets."""
    for slo in slos(service):
        for window in WINDOWS[5:]:
            yield _ratio(slo, window)
        bad, every = _rates(slo)
        window = site.budget_window
        spent = f"avg_over_time({bad}[{window}]) / avg_over_time({every}[{window}])"
        yield Recording(record=BUDGET_LEFT, expr=f"1 - {spent} / {slo.budget:g}", labels=slo.labels)


def platform(site: MetricsSite) -> Iterator[Recording]:
    """What concerns no single service."""
    month = f"{SECONDS_A_MONTH}"
    yield Recording(record=SPEND, expr=f"vector({site.planned_monthly_usd:g})")
    yield Recording(
        record=COST_PER_REQUEST, expr=f"{SPEND} / ({month} * sum(avg_over_time({REQUEST_RATE}[1h])))"
    )
    active = "pgbouncer_pools_server_active_connections"
    yield Recording(
        record=POOL_USE,
        expr=(
            f'sum by (job, database) ({active}{{namespace="{site.pooler_namespace}"}}) / '
            f'sum by (job, database) (pgbouncer_databases_pool_size{{namespace="{site.pooler_namespace}"}})'
        ),
    )


def _operation(service: Mapping[str, str], objective: Objective) -> Iterator[Recording]:
    labels = {**service, "operation": objective.operation}
    every = f"sum(rate({DURATION}_count{selector(labels)}[{BASE}]))"
    in_time = f"sum(rate({DURATION}_bucket{_at_objective(labels, objective)}[{BASE}]))"
    buckets = f"sum by (le) (rate({DURATION}_bucket{selector(labels)}[{BASE}]))"
    quantile = f"histogram_quantile({objective.percentile / 100:g}, {buckets})"
    yield Recording(record=OPERATION_RATE, expr=every, labels=labels)
    # Never under nothing: buckets and count are scraped together, but summed apart.
    yield Recording(record=SLOW_RATE, expr=f"clamp_min({every} - {in_time}, 0)", labels=labels)
    yield Recording(record=RESPONSE, expr=f"{quantile} / {objective.target_ms / 1000:g}", labels=labels)


def _at_objective(labels: Mapping[str, str], objective: Objective) -> str:
    """Selector of the bucket at the objective; libraries write a whole number with or without a decimal."""
    whole, _, decimals = f"{objective.target_ms / 1000:g}".partition(".")
    bound = f'le="{whole}.{decimals}"' if decimals else f'le=~"{whole}(\\\\.0)?"'
    return selector(labels)[:-1] + f",{bound}}}"


def _rates(slo: Slo) -> tuple[str, str]:
    """Series of bad requests and of all, of one objective."""
    labels = {key: value for key, value in slo.labels.items() if key != "slo"}
    if slo.kind is Kind.AVAILABILITY:
        return f"{ERROR_RATE}{selector(labels)}", f"{REQUEST_RATE}{selector(labels)}"
    return f"{SLOW_RATE}{selector(labels)}", f"{OPERATION_RATE}{selector(labels)}"


def _ratio(slo: Slo, window: str) -> Recording:
    bad, every = _rates(slo)
    labels = {key: value for key, value in slo.labels.items() if key != "slo"}
    expr = f"{bad} / {every}"
    if window != BASE:
        expr = f"avg_over_time({bad}[{window}]) / avg_over_time({every}[{window}])"
    return Recording(record=ratio_name(slo.kind, window), expr=expr, labels=labels)


def _capacity(service: Service, site: MetricsSite) -> Iterator[Recording]:
    name = service.workload_name
    labels = {"service": name}
    pods = f'namespace="{site.workload_namespace}",container="{name}"'
    requested = 'sum(kube_pod_container_resource_requests{%s,resource="%s"})'
    yield Recording(
        record=CPU,
        expr=f"sum(rate(container_cpu_usage_seconds_total{{{pods}}}[{BASE}])) / {requested % (pods, 'cpu')}",
        labels=labels,
    )
    yield Recording(
        record=MEMORY,
        expr=f"sum(container_memory_working_set_bytes{{{pods}}}) / {requested % (pods, 'memory')}",
        labels=labels,
    )
    autoscaler = f'{{namespace="{site.workload_namespace}",horizontalpodautoscaler="{name}-hpa"}}'
    current = f"max(kube_horizontalpodautoscaler_status_current_replicas{autoscaler})"
    most = f"max(kube_horizontalpodautoscaler_spec_max_replicas{autoscaler})"
    yield Recording(record=REPLICAS, expr=current, labels=labels)
    yield Recording(record=REPLICAS_LEFT, expr=f"{most} - {current}", labels=labels)
    if service.consumption:
        group = f'{{consumergroup="{name}"}}'
        yield Recording(
            record=LAG_SECONDS,
            expr=(
                f"sum(kafka_consumergroup_lag{group}) / "
                f"sum(rate(kafka_consumergroup_current_offset{group}[{BASE}]))"
            ),
            labels=labels,
        )
