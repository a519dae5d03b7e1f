"""What dashboards show, as data: panels with their queries, the specification's key metrics among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from infra.model.service import KafkaLagMetric, Objective, PrometheusMetric, Service
from infra.model.triggers import GENERAL_TRIGGERS
from infra.slo import recording
from infra.slo.objectives import Kind
from infra.slo.recording import ratio_name, selector
from infra.slo.site import MetricsSite


class KeyMetric(StrEnum):
    """The specification's key scaling metrics, in its words."""

    LOAD = "CPU/Memory utilization per service"
    REQUESTS = "Request rate and response times"
    POOL = "Database connection pool usage"
    QUEUE = "Queue depth and processing lag"
    ERRORS = "Error rates and availability"
    COST = "Cost per request and monthly spend"


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of Prometheus.

    Attributes:
        expr: PromQL.
        legend: Name of each line; a template.
    """

    expr: str
    legend: str


@dataclass(frozen=True, kw_only=True)
class CloudQuery:
    """A metric of CloudWatch.

    Attributes:
        namespace: e.g. `AWS/RDS`.
        metric: Its name.
        statistic: e.g. `Average`.
        dimensions: Values by name; `*` shows a line for each value.
        region: Where the metric is; none: the stack's region.
    """

    namespace: str
    metric: str
    statistic: str
    dimensions: Mapping[str, str] = field(default_factory=dict[str, str])
    region: str | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel.

    Attributes:
        title: What it shows.
        unit: Grafana's name of the unit.
        queries: Where the values come from, all of one kind.
        limit: Where values begin to be wrong; drawn as a line.
        lower_is_wrong: Whether values under the limit are the wrong ones.
        key: Key metrics that it answers.
        single: One number in place of a curve.
    """

    title: str
    unit: str
    queries: Sequence[Query | CloudQuery]
    limit: float | None = None
    lower_is_wrong: bool = False
    key: tuple[KeyMetric, ...] = ()
    single: bool = False


def requests(by: str = "") -> Panel:
    """Requests a second of every service, or of one (`by` a selector)."""
    return Panel(
        title="Requests a second",
        unit="reqps",
        queries=[Query(expr=f"{recording.REQUEST_RATE}{by}", legend="{{service}}")],
        key=(KeyMetric.REQUESTS,),
    )


def errors(by: str = "", *, limit: float | None = None) -> Panel:
    """Share of failed requests."""
    return Panel(
        title="Failed requests",
        unit="percentunit",
        queries=[Query(expr=f"{ratio_name(Kind.AVAILABILITY, '5m')}{by}", legend="{{service}}")],
        limit=limit,
        key=(KeyMetric.ERRORS,),
    )


def availability(by: str = "") -> Panel:
    """Share of good requests over three days."""
    return Panel(
        title="Availability over three days",
        unit="percentunit",
        queries=[Query(expr=f"1 - {ratio_name(Kind.AVAILABILITY, '3d')}{by}", legend="{{service}}")],
        key=(KeyMetric.ERRORS,),
        single=True,
    )


def budgets(by: str = "") -> Panel:
    """What is left of every error budget."""
    return Panel(
        title="Error budget left",
        unit="percentunit",
        queries=[Query(expr=f"{recording.BUDGET_LEFT}{by}", legend="{{service}} {{slo}} {{operation}}")],
        limit=0,
        lower_is_wrong=True,
        key=(KeyMetric.ERRORS,),
    )


def responses(by: str = "") -> Panel:
    """Response time over the objective, by operation."""
    return Panel(
        title="Response time over the objective",
        unit="none",
        queries=[Query(expr=f"{recording.RESPONSE}{by}", legend="{{service}} {{operation}}")],
        limit=GENERAL_TRIGGERS.scale_up.response_to_objective,
        key=(KeyMetric.REQUESTS,),
    )


def response_of(service: Service, objective: Objective) -> Panel:
    """Response time of one operation in seconds, with its objective."""
    labels = selector({"service": service.workload_name, "operation": objective.operation})
    seconds = objective.target_ms / 1000
    return Panel(
        title=f"{objective.operation}: {objective.percentile:g}th percentile",
        unit="s",
        queries=[Query(expr=f"{recording.RESPONSE}{labels} * {seconds:g}", legend="{{operation}}")],
        limit=seconds,
        key=(KeyMetric.REQUESTS,),
    )


def cpu(by: str = "") -> Panel:
    """Used cpu over requested cpu."""
    return Panel(
        title="CPU used of requested",
        unit="percentunit",
        queries=[Query(expr=f"{recording.CPU}{by}", legend="{{service}}")],
        limit=GENERAL_TRIGGERS.scale_up.cpu_percent / 100,
        key=(KeyMetric.LOAD,),
    )


def memory(by: str = "") -> Panel:
    """Used memory over requested memory."""
    return Panel(
        title="Memory used of requested",
        unit="percentunit",
        queries=[Query(expr=f"{recording.MEMORY}{by}", legend="{{service}}")],
        limit=GENERAL_TRIGGERS.scale_up.memory_percent / 100,
        key=(KeyMetric.LOAD,),
    )


def replicas(by: str = "") -> Panel:
    """Pods, and how many more there may be."""
    return Panel(
        title="Replicas, and how many more there may be",
        unit="none",
        queries=[
            Query(expr=f"{recording.REPLICAS}{by}", legend="{{service}}"),
            Query(expr=f"{recording.REPLICAS_LEFT}{by}", legend="{{service}} left"),
        ],
    )


def lag(by: str = "") -> Panel:
    """How far consumers are behind."""
    return Panel(
        title="Consumers behind their topics",
        unit="s",
        queries=[Query(expr=f"{recording.LAG_SECONDS}{by}", legend="{{service}}")],
        limit=300,
        key=(KeyMetric.QUEUE,),
    )


def queues() -> Panel:
    """Messages and work that wait."""
    return Panel(
        title="Waiting messages and jobs",
        unit="short",
        queries=[
            Query(
                expr="sum by (consumergroup, topic) (kafka_consumergroup_lag)",
                legend="{{consumergroup}} {{topic}}",
            ),
            Query(expr="sum(payment_queue_depth)", legend="payments"),
            Query(expr="sum(analytics_query_queue_depth)", legend="analytics queries"),
        ],
        key=(KeyMetric.QUEUE,),
    )


def pool_use() -> Panel:
    """Server connections in use over those that a pool may open."""
    return Panel(
        title="Server connections used of each pool",
        unit="percentunit",
        queries=[Query(expr=recording.POOL_USE, legend="{{job}} {{database}}")],
        limit=0.8,
        key=(KeyMetric.POOL,),
    )


def pool_waits(site: MetricsSite) -> Panel:
    """Clients that wait for a server connection."""
    of = f'{{namespace="{site.pooler_namespace}"}}'
    return Panel(
        title="Clients that wait for a connection",
        unit="short",
        queries=[
            Query(
                expr=f"sum by (job, database) (pgbouncer_pools_client_waiting_connections{of})",
                legend="{{job}} {{database}}",
            )
        ],
        limit=1,
        key=(KeyMetric.POOL,),
    )


def cost() -> tuple[Panel, ...]:
    """What a request costs, what a month is planned to cost, and what AWS has billed of it."""
    return (
        Panel(
            title="Cost of a request, at the planned spend",
            unit="currencyUSD",
            queries=[Query(expr=recording.COST_PER_REQUEST, legend="a request")],
            key=(KeyMetric.COST,),
        ),
        Panel(
            title="Planned monthly spend of the stack",
            unit="currencyUSD",
            queries=[Query(expr=recording.SPEND, legend="a month")],
            key=(KeyMetric.COST,),
            single=True,
        ),
        Panel(
            title="Billed this month, whole account",
            unit="currencyUSD",
            queries=[
                CloudQuery(
                    namespace="AWS/Billing",
                    metric="EstimatedCharges",
                    statistic="Maximum",
                    dimensions={"Currency": "USD"},
                    region="us-east-1",
                )
            ],
            key=(KeyMetric.COST,),
        ),
    )


def scaling(service: Service) -> tuple[Panel, ...]:
    """The metrics that move a service's replicas, with where they act."""
    panels: list[Panel] = []
    for metric in service.scaling.metrics:
        match metric:
            case PrometheusMetric():
                panels.append(
                    _moved_by(metric.name, metric.query, None if metric.per_pod else metric.threshold)
                )
            case KafkaLagMetric():
                group = f'{{consumergroup="{service.workload_name}",topic="{metric.topic}"}}'
                panels.append(_moved_by(metric.name, f"sum(kafka_consumergroup_lag{group})", None))
            case _:
                continue
    panels += [_moved_by(trigger.metric, trigger.query, None) for trigger in service.scaling.triggers]
    return tuple(panels)


def _moved_by(name: str, query: str, limit: float | None) -> Panel:
    return Panel(
        title=f"Scales on {name}", unit="short", queries=[Query(expr=query, legend=name)], limit=limit
    )


def cloud(
    title: str,
    unit: str,
    query: CloudQuery,
    *more: CloudQuery,
    limit: float | None = None,
    key: tuple[KeyMetric, ...] = (),
) -> Panel:
    """A panel of CloudWatch metrics."""
    return Panel(title=title, unit=unit, queries=[query, *more], limit=limit, key=key)
