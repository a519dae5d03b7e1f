"""The service mesh as data: every Istio object of a region, rendered from the catalogue of services."""

from infra.traffic.mesh.plan import plan
from infra.traffic.mesh.site import MeshSite

__all__ = ["MeshSite", "plan"]
