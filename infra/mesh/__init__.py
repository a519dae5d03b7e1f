"""The service mesh as data: every Istio object of a region, rendered from the catalogue of services."""

from infra.mesh.plan import plan
from infra.mesh.site import MeshSite

__all__ = ["MeshSite", "plan"]
