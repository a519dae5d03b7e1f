"""Alerts of the services and of the platform, each with its page in `docs/runbooks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.model.service import ErrorClass, Service
from infra.model.triggers import GENERAL_TRIGGERS
from infra.slo import recording
from infra.slo.burn_rates import possible
from infra.slo.objectives import Kind, Slo, share, slos
from infra.slo.recording import ratio_name, selector
from infra.slo.severity import Severity
from infra.slo.site import MetricsSite

LAG_SECONDS = 300
"""Work that is five minutes behind: the longest that a notification or a dashboard may be late."""
POOL_WAIT_SECONDS = 1
"""A client that waits a second for a server connection has spent the objective of every operation but two."""
_TRIGGERS = GENERAL_TRIGGERS


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alerting rule.

    Attributes:
        name: Name in CamelCase.
        runbook: Its page in `docs/runbooks`, without the ending.
        expr: When it is on, in PromQL.
        lasting: How long that must hold, as Prometheus writes durations.
        severity: Whom it concerns.
        summary: What is wrong, in one sentence; a template.
        labels: Further labels.
    """

    name: str
    runbook: str
    expr: str
    lasting: str
    severity: Severity
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def rule(self, runbooks: str) -> dict[str, Any]:
        """As Prometheus reads it.

        Args:
            runbooks: Address under which the pages are found.
        """
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasting,
            "labels": {"severity": self.severity.value, **self.labels},
            "annotations": {
                "summary": self.summary,
                "runbook_url": f"{runbooks}/{self.runbook}.md",
            },
        }


def of_service(service: Service) -> Iterator[Alert]:
    """Every alert of a service."""
    for slo in slos(service):
        yield from _burning(slo)
        yield _spent(slo)
    yield _over_class(service)
    yield _failing(service)
    for slo in slos(service):
        if slo.objective:
            yield _slow(slo)
            yield _unmeasured(slo)
    yield _silent(service)
    yield _exhausted(service)
    yield _unused(service)
    if service.consumption:
        yield _behind(service)


def of_platform(site: MetricsSite) -> Iterator[Alert]:
    """Every alert that belongs to no single service."""
    yield from _poolers(site)
    yield Alert(
        name="PodsUnschedulable",
        runbook="pods-unschedulable",
        expr=f'sum by (namespace) (kube_pod_status_unschedulable{{namespace="{site.workload_namespace}"}}) > 0',
        lasting="10m",
        severity=Severity.CRITICAL,
        summary="{{ $value }} pods of {{ $labels.namespace }} have found no node for ten minutes",
    )
    yield Alert(
        name="MeshControlPlaneDown",
        runbook="mesh-control-plane-down",
        expr=f'absent(up{{job="{site.monitoring_namespace}/mesh-control-plane"}} == 1)',
        lasting="5m",
        severity=Severity.CRITICAL,
        summary="No istiod answers: proxies keep their routes but learn nothing new, and new pods do not start",
    )
    yield Alert(
        name="IngressDown",
        runbook="ingress-down",
        expr=f'absent(up{{job="{site.monitoring_namespace}/ingress-controller"}} == 1)',
        lasting="2m",
        severity=Severity.CRITICAL,
        summary="No ingress controller answers: the region serves nobody",
    )
    yield Alert(
        name="IngressConfigurationRefused",
        runbook="ingress-configuration-refused",
        expr="max by (namespace, pod) (nginx_ingress_controller_nginx_last_reload_status) == 0",
        lasting="5m",
        severity=Severity.WARNING,
        summary="{{ $labels.pod }} runs on its last good configuration: the newest one could not be loaded",
    )
    yield Alert(
        name="AutoscalerBlind",
        runbook="autoscaler-blind",
        expr="sum by (scaledObject) (rate(keda_scaler_detail_errors_total[5m])) > 0",
        lasting="10m",
        severity=Severity.WARNING,
        summary="KEDA has not read a metric of {{ $labels.scaledObject }} for ten minutes and holds its replicas",
    )


def _burning(slo: Slo) -> Iterator[Alert]:
    name, what = _words(slo)
    labels = {key: value for key, value in slo.labels.items() if key != "slo"}
    for rate in possible(slo.budget):
        limit = f"{rate.factor * slo.budget:.6g}"
        long, short = (
            f"{ratio_name(slo.kind, window)}{selector(labels)} > {limit}"
            for window in (rate.long, rate.short)
        )
        yield Alert(
            name=f"{name}BudgetBurn",
            runbook=f"{slo.kind.value}-budget-burn",
            expr=f"{long} and {short}",
            # Both windows have already waited; one evaluation more rides out a single odd scrape.
            lasting="1m",
            severity=rate.severity,
            summary=(
                f"{what} burns its error budget {rate.factor:g} times as fast as it may, over {rate.long}: "
                "{{ $value | humanizePercentage }} of requests are bad"
            ),
            labels={**slo.labels, "window": rate.long},
        )


def _spent(slo: Slo) -> Alert:
    _, what = _words(slo)
    return Alert(
        name="ErrorBudgetSpent",
        runbook="error-budget-spent",
        expr=f"{recording.BUDGET_LEFT}{selector(slo.labels)} < 0",
        lasting="15m",
        severity=Severity.WARNING,
        summary=f"{what} has spent its whole error budget ({{{{ $value | humanizePercentage }}}} left)",
        labels=slo.labels,
    )


def _words(slo: Slo) -> tuple[str, str]:
    if slo.objective is None:
        return "Availability", f"Availability of {slo.service}"
    return "Latency", f"Response time of {slo.objective.operation} ({slo.service})"


def _over_class(service: Service) -> Alert:
    limit = share(100 - service.error_class.max_error_percent)
    return Alert(
        name="ErrorRateOverClass",
        runbook="error-rate-over-class",
        expr=f"{ratio_name(Kind.AVAILABILITY, '1h')}{_of(service)} > {limit:g}",
        lasting="15m",
        severity=Severity.WARNING,
        summary=(
            f"{service.workload_name} fails {{{{ $value | humanizePercentage }}}} of its requests; "
            f"{service.error_class.value} operations may fail {service.error_class.max_error_percent:g}%"
        ),
        labels={"service": service.workload_name},
    )


def _failing(service: Service) -> Alert:
    limit = _TRIGGERS.emergency.error_percent / 100
    return Alert(
        name="EmergencyErrorRate",
        runbook="emergency-error-rate",
        expr=f"{ratio_name(Kind.AVAILABILITY, '5m')}{_of(service)} > {limit:g}",
        lasting="1m",
        severity=Severity.CRITICAL,
        summary=f"{service.workload_name} fails {{{{ $value | humanizePercentage }}}} of its requests",
        labels={"service": service.workload_name},
    )


def _slow(slo: Slo) -> Alert:
    _, what = _words(slo)
    labels = {key: value for key, value in slo.labels.items() if key != "slo"}
    return Alert(
        name="EmergencyResponseTime",
        runbook="emergency-response-time",
        expr=f"{recording.RESPONSE}{selector(labels)} > {_TRIGGERS.emergency.response_to_objective:g}",
        lasting="1m",
        severity=Severity.CRITICAL,
        summary=f"{what} is {{{{ $value | humanize }}}} times its objective",
        labels=labels,
    )


def _unmeasured(slo: Slo) -> Alert:
    _, what = _words(slo)
    labels = {key: value for key, value in slo.labels.items() if key != "slo"}
    counted, slow = recording.OPERATION_RATE, recording.SLOW_RATE
    return Alert(
        name="ObjectiveUnmeasured",
        runbook="objective-unmeasured",
        expr=f"{counted}{selector(labels)} unless {slow}{selector(labels)}",
        lasting="30m",
        severity=Severity.WARNING,
        summary=f"{what} cannot be measured: its histogram has no bucket at the objective",
        labels=labels,
    )


def _silent(service: Service) -> Alert:
    return Alert(
        name="ServiceSilent",
        runbook="service-silent",
        expr=f"absent(up{_of(service)} == 1)",
        lasting="2m",
        severity=Severity.CRITICAL,
        summary=f"No pod of {service.workload_name} answers Prometheus: it is down, and nothing of it is measured",
        labels={"service": service.workload_name},
    )


def _exhausted(service: Service) -> Alert:
    up, of = _TRIGGERS.scale_up, _of(service)
    loads = [
        f"{recording.CPU}{of} > {up.cpu_percent / 100:g}",
        f"{recording.MEMORY}{of} > {up.memory_percent / 100:g}",
    ]
    if service.objectives:
        loads.append(f"max by (service) ({recording.RESPONSE}{of}) > {up.response_to_objective:g}")
    return Alert(
        name="ScaleUpExhausted",
        runbook="scale-up-exhausted",
        expr=f"({' or '.join(loads)}) and on (service) {recording.REPLICAS_LEFT}{of} <= 0",
        lasting="10m",
        severity=Severity.CRITICAL if service.error_class is ErrorClass.CRITICAL else Severity.WARNING,
        summary=f"{service.workload_name} asks for more pods and has as many as it may",
        labels={"service": service.workload_name},
    )


def _unused(service: Service) -> Alert:
    down, of = _TRIGGERS.scale_down, _of(service)
    idle = [
        f"{recording.CPU}{of} < {down.cpu_percent / 100:g}",
        f"{recording.MEMORY}{of} < {down.memory_percent / 100:g}",
        f"{recording.REPLICAS}{of} > {service.scaling.min_replicas}",
    ]
    if service.objectives:
        idle.append(f"max by (service) ({recording.RESPONSE}{of}) < {down.response_to_objective:g}")
    return Alert(
        name="CapacityUnused",
        runbook="capacity-unused",
        expr=" and on (service) ".join(idle),
        lasting="6h",
        severity=Severity.WARNING,
        summary=f"{service.workload_name} has run idle for six hours with more pods than its minimum",
        labels={"service": service.workload_name},
    )


def _behind(service: Service) -> Alert:
    return Alert(
        name="ConsumerBehind",
        runbook="consumer-behind",
        expr=f"{recording.LAG_SECONDS}{_of(service)} > {LAG_SECONDS}",
        lasting="5m",
        severity=Severity.CRITICAL if service.error_class is ErrorClass.CRITICAL else Severity.WARNING,
        summary=f"{service.workload_name} is {{{{ $value | humanizeDuration }}}} behind its topics",
        labels={"service": service.workload_name},
    )


def _poolers(site: MetricsSite) -> Iterator[Alert]:
    for pooler in site.poolers:
        job = f'{{job="{site.pooler_namespace}/{pooler}"}}'
        labels = {"pooler": pooler}
        yield Alert(
            name="PoolerDown",
            runbook="pooler-down",
            expr=f"absent(pgbouncer_up{job} == 1)",
            lasting="2m",
            severity=Severity.CRITICAL,
            summary=f"No pod of {pooler} answers: services cannot reach the database through it",
            labels=labels,
        )
        yield Alert(
            name="PoolExhausted",
            runbook="pool-exhausted",
            expr=f"max by (database) (pgbouncer_pools_client_maxwait_seconds{job}) > {POOL_WAIT_SECONDS}",
            lasting="2m",
            severity=Severity.CRITICAL,
            summary=(
                f"Clients of {{{{ $labels.database }}}} wait {{{{ $value | humanizeDuration }}}} "
                f"for a connection of {pooler}"
            ),
            labels=labels,
        )


def _of(service: Service) -> str:
    return selector({"service": service.workload_name})
