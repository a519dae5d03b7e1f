"""What rules and dashboards must know of the stack that they are for."""

from __future__ import annotations

from dataclasses import dataclass

from infra.slo.objectives import WINDOW_DAYS


@dataclass(frozen=True, kw_only=True)
class MetricsSite:
    """Names of a region's cluster, as labels of metrics have them.

    Attributes:
        environment: Life of the stack.
        region: AWS region.
        workload_namespace: Namespace of the services.
        pooler_namespace: Namespace of the poolers.
        ingress_namespace: Namespace of the ingress controller.
        mesh_namespace: Namespace of istiod.
        autoscaler_namespace: Namespace of KEDA.
        monitoring_namespace: Namespace of Prometheus, rules and dashboards.
        poolers: Names of the poolers.
        runbooks: Address under which the pages of `docs/runbooks` are found.
        retention_days: How long Prometheus keeps samples.
        planned_monthly_usd: What the stack is planned to cost a month; source of the cost of a request.
    """

    environment: str
    region: str
    workload_namespace: str
    pooler_namespace: str
    ingress_namespace: str
    mesh_namespace: str
    autoscaler_namespace: str
    monitoring_namespace: str
    poolers: tuple[str, ...]
    runbooks: str
    retention_days: int
    planned_monthly_usd: float

    @property
    def budget_window(self) -> str:
        """Window that error budgets are counted over: 30 days, or as much of them as samples are kept."""
        return f"{min(WINDOW_DAYS, self.retention_days)}d"
