"""A cluster site and a service of the tests' own, for components that run services."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes as k8s

from components.cluster_site import ClusterSite
from infra.model.load import Load
from infra.model.service import (
    CacheTtl,
    Consumption,
    ErrorClass,
    HealthCheck,
    LoadBalancing,
    MeshAlgorithm,
    Objective,
    PrometheusMetric,
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    Service,
    TargetGroupAlgorithm,
)

STEADY = ScalingDirection(
    stabilization_window_seconds=300, policies=(ScalingPolicy(type="Percent", value=50, period_seconds=300),)
)


def site(**changes: Any) -> ClusterSite:
    """A site with a provider of its own; call it inside the program."""
    values: dict[str, Any] = {
        "provider": k8s.Provider("cluster"),
        "namespace": "workloads",
        "vpc_cidr": "10.0.0.0/16",
        "data_cidrs": ("10.0.36.0/22", "10.0.100.0/22"),
        "ingress_namespace": "nginx",
        "mesh_namespace": "istio-system",
        "monitoring_namespace": "monitoring",
        **changes,
    }
    return ClusterSite(**values)


def service(name: str = "sample", **changes: Any) -> Service:
    """A service that uses nothing, with changes."""
    values: dict[str, Any] = {
        "name": name,
        "path_prefixes": (f"/{name}",),
        "rule_priority": 10,
        "health": HealthCheck(path=f"/{name}/health", tests="a dependency"),
        "resources": Resources(cpu_request="200m", memory_request="512Mi", cpu_limit="1", memory_limit="2Gi"),
        "scaling": Scaling(
            min_replicas=3,
            max_replicas=9,
            metrics=(PrometheusMetric(name="load", query="sum(load)", threshold=10),),
            scale_up=STEADY,
            scale_down=STEADY,
        ),
        "load": Load(requests_per_user_minute=1.0, cpu_ms_per_request=1.0),
        "load_balancing": LoadBalancing(
            target_group=TargetGroupAlgorithm.ROUND_ROBIN, mesh=MeshAlgorithm.LEAST_REQUEST
        ),
        "availability_percent": 99.9,
        "error_class": ErrorClass.STANDARD,
        "rate_limit_per_5_minutes": 100,
        **changes,
    }
    return Service(**values)


def busy_service() -> Service:
    """A service that uses every store, has callers, an objective and a cache."""
    return service(
        called_by=("caller",),
        uses_database=True,
        caches=("cache",),
        produces=("out-events",),
        consumption=Consumption(topics=("in-events",), consumers=4),
        application_cache=(CacheTtl(entry="things", ttl_seconds=60),),
        objectives=(
            Objective(operation="work", target_ms=250, percentile=95, method="POST", path="/sample"),
        ),
    )
