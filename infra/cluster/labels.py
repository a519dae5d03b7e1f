"""Labels of Kubernetes objects: which pods are a service's, and of which version."""

from __future__ import annotations

from collections.abc import Mapping

from infra.model.service import Service
from infra.naming import PROJECT

STABLE, CANARY = "stable", "canary"
"""Values of the label `version` of a service's regular pods and of those on trial."""


def selector_labels(service_name: str) -> Mapping[str, str]:
    """Labels that every pod of a service carries, whatever its version."""
    return {"app.kubernetes.io/name": service_name, "app.kubernetes.io/part-of": PROJECT}


def object_labels(service: Service) -> Mapping[str, str]:
    """Labels of a service's objects (Kubernetes' recommended ones); never used as a selector."""
    return {
        **selector_labels(service.workload_name),
        "app.kubernetes.io/component": service.name,
        "app.kubernetes.io/managed-by": "pulumi",
    }
