"""The mesh's and the ingress's objects of a catalogue, found by kind and name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.cluster.manifests import Manifest
from infra.model.service import Service
from infra.traffic import ingress, mesh
from infra.traffic.mesh import MeshSite
from services import CATALOGUE

SITE = MeshSite(region="us-east-1")
ORIGIN = "origin.parking.example.com"


def changed(service: Service, **changes: Any) -> Service:
    """A service with some of its data changed, checked again."""
    return Service.model_validate({**dict(service), **changes})


def named(name: str, services: Sequence[Service] = CATALOGUE) -> Service:
    """The service of a name."""
    return next(service for service in services if service.name == name)


def with_changes(name: str, **changes: Any) -> tuple[Service, ...]:
    """The catalogue with one service changed."""
    return tuple(changed(s, **changes) if s.name == name else s for s in CATALOGUE)


def objects(services: Sequence[Service] = CATALOGUE) -> tuple[Manifest, ...]:
    """All objects: the mesh's, then the ingress's."""
    return (*mesh.plan(services, SITE), *ingress.plan(services, site=SITE, host=ORIGIN))


def specs(kind: str, services: Sequence[Service] = CATALOGUE) -> dict[tuple[str, str], Any]:
    """Specifications of a kind by namespace and name."""
    return {(m.namespace, m.name): m.spec for m in objects(services) if m.kind == kind}


def spec(kind: str, name: str, services: Sequence[Service] = CATALOGUE, *, namespace: str = "parking") -> Any:
    """Specification of one object."""
    return specs(kind, services)[namespace, name]
