"""A Kubernetes object as data: rendered by pure functions, registered by components, checked by real tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.naming import PROJECT

LABELS: Mapping[str, str] = {
    "app.kubernetes.io/part-of": PROJECT,
    "app.kubernetes.io/managed-by": "pulumi",
}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One object.

    Attributes:
        key: Unique among the objects of a component, stable: its logical name's last part.
        api_version: Group and version, e.g. `networking.istio.io/v1`.
        kind: Its kind.
        namespace: Where it lives.
        name: Its name there.
        spec: Its specification.
        annotations: Notes for tools.
    """

    key: str
    api_version: str
    kind: str
    namespace: str
    name: str
    spec: Mapping[str, Any] = field(default_factory=dict[str, Any])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def document(self) -> dict[str, Any]:
        """The whole object, as `kubectl` would take it."""
        metadata: dict[str, Any] = {"name": self.name, "namespace": self.namespace, "labels": dict(LABELS)}
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": metadata,
            "spec": dict(self.spec),
        }
