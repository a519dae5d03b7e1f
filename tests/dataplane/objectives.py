"""A platform as Prometheus would see it: healthy, or with what a test asks for, minute by minute.

Shares of bad requests come in phases. `firing` reckons from the phases alone, without PromQL, which alerts must be
on at the end, so that rules and reckoning check each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from infra.model.service import Objective, Service
from infra.model.triggers import GENERAL_TRIGGERS
from infra.slo.burn_rates import BURN_RATES
from infra.slo.metrics import DURATION, REQUESTS, bucket_bounds
from infra.slo.objectives import Slo, slos
from infra.slo.site import MetricsSite

REQUESTS_A_MINUTE = 6000
LABELS = ("alertname", "service", "operation", "slo", "window", "pooler")
"""What tells an alert from others."""
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_FAST, _SLOW, _VERY_SLOW = 0.5, 2, 4
"""Bucket that requests fall in, in multiples of their objective."""

Phases = Sequence[tuple[int, float]]
"""Minutes, and the share of bad requests in them."""
Alert = frozenset[tuple[str, str]]


def alert(name: str, **labels: str) -> Alert:
    """An alert by its name and labels."""
    return frozenset({("alertname", name), *labels.items()})


def steady(minutes: int, share: float = 0.0) -> Phases:
    """One share all the time."""
    return [(minutes, share)]


def counter(phases: Phases, per_minute: float, *, of: Callable[[float], float]) -> str:
    """Values of a counter, a sample a minute: each phase adds its share, as `of` makes it, of `per_minute`."""
    parts: list[str] = []
    value = 0.0
    for index, (minutes, share) in enumerate(phases):
        step = per_minute * of(share)
        # A part has one value more than its steps: the first part's is the zero, a later one's is its first step.
        first, steps = (value, minutes) if index == 0 else (value + step, minutes - 1)
        parts.append(f"{first:.6f}+{step:.6f}x{steps}")
        value += step * minutes
    return " ".join(parts)


@dataclass(frozen=True, kw_only=True)
class World:
    """What the platform does for some minutes.

    Attributes:
        minutes: How long it is watched.
        bad: Phases of each objective, by service and operation (none: failed requests); healthy where left out.
        very_slow: Whether late answers are past twice their objective, and not past it just so.
        idle: Whether nothing is used of what there is.
        full: Whether everything that can be exhausted is.
        missing_bucket: Whether histograms lack the bucket at the objective.
    """

    minutes: int
    bad: Mapping[tuple[str, str | None], Phases] = field(default_factory=dict[tuple[str, str | None], Phases])
    very_slow: bool = False
    idle: bool = False
    full: bool = False
    missing_bucket: bool = False

    def phases(self, service: Service, objective: Objective | None = None) -> Phases:
        """Shares of one objective."""
        key = (service.workload_name, objective.operation if objective else None)
        return self.bad.get(key, steady(self.minutes))

    def series(self, services: Sequence[Service], site: MetricsSite) -> Mapping[str, str]:
        """Input series of promtool."""
        lines: dict[str, str] = {}
        for service in services:
            lines.update(self._requests(service))
            lines.update(self._capacity(service, site))
        lines.update(self._platform(site))
        return lines

    def _requests(self, service: Service) -> Iterator[tuple[str, str]]:
        name, phases = service.workload_name, self.phases(service)
        yield f'up{{service="{name}",pod="a"}}', f"1x{self.minutes}"
        answered = f'{REQUESTS}{{service="{name}",code="200",pod="a"}}'
        yield answered, counter(phases, REQUESTS_A_MINUTE, of=_rest)
        if any(share for _, share in phases):
            yield (
                f'{REQUESTS}{{service="{name}",code="503",pod="a"}}',
                counter(phases, REQUESTS_A_MINUTE, of=float),
            )
        for objective in service.objectives:
            yield from self._histogram(name, objective, self.phases(service, objective))

    def _histogram(self, name: str, objective: Objective, phases: Phases) -> Iterator[tuple[str, str]]:
        labels = f'service="{name}",operation="{objective.operation}",pod="a"'
        target = objective.target_ms / 1000
        late = (_VERY_SLOW if self.very_slow else _SLOW) * target
        early = (0.25 if self.idle else _FAST) * target
        yield f"{DURATION}_count{{{labels}}}", counter(phases, REQUESTS_A_MINUTE, of=_all)
        for bound in (*bucket_bounds(objective), float("inf")):
            if self.missing_bucket and bound == target:
                continue

            def inside(share: float, bound: float = bound) -> float:
                return (1 - share if bound >= early else 0) + (share if bound >= late else 0)

            written = "+Inf" if bound == float("inf") else f"{bound:g}"
            yield (
                f'{DURATION}_bucket{{{labels},le="{written}"}}',
                counter(phases, REQUESTS_A_MINUTE, of=inside),
            )

    def _capacity(self, service: Service, site: MetricsSite) -> Iterator[tuple[str, str]]:
        name, steps = service.workload_name, self.minutes
        used = 0.9 if self.full else 0.1 if self.idle else 0.5
        pods = f'namespace="{site.workload_namespace}",container="{name}",pod="a"'
        yield f"container_cpu_usage_seconds_total{{{pods}}}", f"0+{60 * used:g}x{steps}"
        yield f"container_memory_working_set_bytes{{{pods}}}", f"{1e9 * used:.0f}x{steps}"
        yield f'kube_pod_container_resource_requests{{{pods},resource="cpu"}}', f"1x{steps}"
        yield f'kube_pod_container_resource_requests{{{pods},resource="memory"}}', f"1000000000x{steps}"
        autoscaler = f'namespace="{site.workload_namespace}",horizontalpodautoscaler="{name}-hpa"'
        most = service.scaling.max_replicas
        current = most if self.full else service.scaling.min_replicas + 1
        yield f"kube_horizontalpodautoscaler_status_current_replicas{{{autoscaler}}}", f"{current}x{steps}"
        yield f"kube_horizontalpodautoscaler_spec_max_replicas{{{autoscaler}}}", f"{most}x{steps}"
        group = f'consumergroup="{name}",topic="events",partition="0"'
        # A hundred messages a second: full, the group is ten minutes behind.
        yield f"kafka_consumergroup_lag{{{group}}}", f"{60_000 if self.full else 100}x{steps}"
        yield f"kafka_consumergroup_current_offset{{{group}}}", f"0+6000x{steps}"

    def _platform(self, site: MetricsSite) -> Iterator[tuple[str, str]]:
        steps = self.minutes
        for pooler in site.poolers:
            job = f'job="{site.pooler_namespace}/{pooler}",pod="a"'
            yield f"pgbouncer_up{{{job}}}", f"1x{steps}"
            yield (
                f'pgbouncer_pools_client_maxwait_seconds{{{job},database="auth"}}',
                f"{3 * self.full}x{steps}",
            )
        for monitor in ("mesh-control-plane", "ingress-controller"):
            yield f'up{{job="{site.monitoring_namespace}/{monitor}",pod="a"}}', f"1x{steps}"
        namespace = f'namespace="{site.workload_namespace}"'
        yield f'kube_pod_status_unschedulable{{{namespace},pod="a"}}', f"{int(self.full)}x{steps}"
        ingress = f'namespace="{site.ingress_namespace}",pod="a"'
        yield (
            f"nginx_ingress_controller_nginx_last_reload_status{{{ingress}}}",
            f"{int(not self.full)}x{steps}",
        )
        scaled = 'scaledObject="auth-service",type="scaledobject"'
        yield f"keda_scaler_detail_errors_total{{{scaled}}}", f"0+{int(self.full)}x{steps}"


def _rest(share: float) -> float:
    return 1 - share


def _all(_share: float) -> float:
    return 1.0


def firing(world: World, services: Sequence[Service]) -> set[Alert]:
    """Alerts about bad requests that must be on when the world ends, reckoned from its phases."""
    return {one for service in services for one in _of_service(world, service)}


def _of_service(world: World, service: Service) -> Iterator[Alert]:
    name = service.workload_name
    for slo in slos(service):
        phases = world.phases(service, slo.objective)
        yield from _burning(slo, phases, world.minutes)
        if (
            slo.objective
            and world.very_slow
            and _share(phases, 5, world.minutes) > 1 - slo.objective.percentile / 100
        ):
            yield alert("EmergencyResponseTime", service=name, operation=slo.objective.operation)
    phases = world.phases(service)
    if _lasts(phases, 60, 15, world.minutes, service.error_class.max_error_percent / 100):
        yield alert("ErrorRateOverClass", service=name)
    if _lasts(phases, 5, 1, world.minutes, GENERAL_TRIGGERS.emergency.error_percent / 100):
        yield alert("EmergencyErrorRate", service=name)


def _burning(slo: Slo, phases: Phases, end: int) -> Iterator[Alert]:
    kind = "Availability" if slo.objective is None else "Latency"
    for rate in BURN_RATES:
        windows = (_length(rate.long), _length(rate.short))
        if all(_lasts(phases, window, 1, end, rate.factor * slo.budget) for window in windows):
            yield alert(f"{kind}BudgetBurn", window=rate.long, **slo.labels)
    if _lasts(phases, 30 * _MINUTES["d"], 15, end, slo.budget):
        yield alert("ErrorBudgetSpent", **slo.labels)


def _length(window: str) -> int:
    return int(window[:-1]) * _MINUTES[window[-1]]


def _lasts(phases: Phases, window: int, lasting: int, end: int, limit: float) -> bool:
    """Whether the share over a window was over a limit in each of the last minutes."""
    return all(_share(phases, window, moment) > limit for moment in range(end - lasting, end + 1))


def _share(phases: Phases, window: int, end: int) -> float:
    """Mean share of the minutes of a window that ends at a moment."""
    minutes = [share for length, share in phases for _ in range(length)][max(0, end - window) : end]
    return sum(minutes) / len(minutes) if minutes else 0.0
