"""Where each kind of component stands in the picture: its tier, and the box that it is part of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from infra.diagram.graph import COMPONENT_PREFIX, Resource


class Tier(Enum):
    """A band of the picture, in the way of a request from top to bottom; what it stands on comes last."""

    EDGE = "Tier 1: edge, global"
    REGIONAL = "Tier 2: regional entry"
    PLATFORM = "Tier 3: Kubernetes platform and mesh"
    WORKLOADS = "Tier 4: workloads"
    DATA = "Data"
    OPERATIONS = "Operations"
    GROUND = "Ground: what everything stands on"


TIERS = tuple(Tier)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A box of the picture.

    Attributes:
        key: What tells it from others; components with one key share a box.
        title: Its heading.
        tier: The band it stands in.
        note: What its resources are, before their number.
    """

    key: str
    title: str
    tier: Tier
    note: str = ""


_PLACES: tuple[Place, ...] = (
    Place(key="Edge", tier=Tier.EDGE, title="CloudFront"),
    Place(key="WebAcl:edge", tier=Tier.EDGE, title="Global web ACL"),
    Place(key="PublicZone", tier=Tier.EDGE, title="Public DNS zone"),
    Place(key="OriginSecret", tier=Tier.EDGE, title="Origin secret"),
    Place(key="LoadBalancer", tier=Tier.REGIONAL, title="Load balancer", note="ALB"),
    Place(key="WebAcl:regional", tier=Tier.REGIONAL, title="Regional web ACL"),
    Place(key="RegionalRecord", tier=Tier.REGIONAL, title="Latency record"),
    Place(key="Cluster", tier=Tier.PLATFORM, title="Control plane", note="EKS"),
    Place(key="NodeAddOns", tier=Tier.PLATFORM, title="Node add-ons"),
    Place(key="AddOns", tier=Tier.PLATFORM, title="Add-ons", note="charts"),
    Place(key="Ingress", tier=Tier.PLATFORM, title="Ingress", note="NGINX"),
    Place(key="Mesh", tier=Tier.PLATFORM, title="Mesh", note="Istio"),
    Place(key="SecretStore", tier=Tier.PLATFORM, title="Secret store"),
    Place(key="WorkloadNamespace", tier=Tier.WORKLOADS, title="Namespace"),
    Place(key="Database", tier=Tier.DATA, title="PostgreSQL"),
    Place(key="ConnectionPool", tier=Tier.DATA, title="Connection pool", note="PgBouncer"),
    Place(key="Streaming", tier=Tier.DATA, title="Kafka"),
    Place(key="Observability", tier=Tier.OPERATIONS, title="Observability"),
    Place(key="Alarms", tier=Tier.OPERATIONS, title="AWS alarms"),
    Place(key="Notifications", tier=Tier.OPERATIONS, title="Notifications", note="SNS"),
    Place(key="SyntheticCheck", tier=Tier.OPERATIONS, title="Synthetic check"),
    Place(key="Budget", tier=Tier.OPERATIONS, title="Budget"),
    Place(key="Backups", tier=Tier.OPERATIONS, title="Backups"),
    Place(key="DatabaseJobs", tier=Tier.OPERATIONS, title="Database jobs"),
    Place(key="ReaderScaling", tier=Tier.OPERATIONS, title="Reader scaling"),
    Place(key="PrivateZone", tier=Tier.OPERATIONS, title="Private DNS"),
    Place(key="Network", tier=Tier.GROUND, title="Network"),
    Place(key="Keys", tier=Tier.GROUND, title="Keys"),
    Place(key="Registries", tier=Tier.GROUND, title="Registries"),
    Place(key="LogBucket", tier=Tier.GROUND, title="Access logs"),
)
_BY_KEY = {place.key: place for place in _PLACES}
_MERGED = {
    "NodeRole": "NodeAddOns",
    "PriorityClasses": "WorkloadNamespace",
    "HeadRoom": "WorkloadNamespace",
    "DatabaseUsers": "Database",
    "RegionalAlarms": "Alarms",
    "EdgeAlarms": "Alarms",
    "CloudWatchDashboard": "Alarms",
    "BackupPlan": "Backups",
    "BackupVault": "Backups",
    "WriterName": "PrivateZone",
}
_SERVICE_SUFFIXES = {
    "Workload": "",
    "Autoscaler": "-autoscaler",
    "ServiceIdentity": "-identity",
    "TargetBinding": "-targets",
}


def place_of(component: Resource) -> Place:
    """The box of an outermost component; kinds that are not listed here stand under operations.

    Args:
        component: A component without another around it.
    """
    kind, name = component.type.removeprefix(COMPONENT_PREFIX), component.name
    if kind in _SERVICE_SUFFIXES:
        service = name.removesuffix(_SERVICE_SUFFIXES[kind])
        return Place(key=f"service:{service}", title=service, tier=Tier.WORKLOADS)
    if kind == "NodePool":
        return Place(key=f"pool:{name}", title=name, tier=Tier.PLATFORM, note="nodes")
    if kind == "Cache":
        return Place(key=f"cache:{name}", title=f"Redis {name}", tier=Tier.DATA)
    side = "edge" if name.startswith("edge") else "regional"
    keys = {
        # A certificate belongs to what serves it.
        "Certificate": "Edge" if side == "edge" else "LoadBalancer",
        "WebAcl": f"WebAcl:{side}",
    }
    if kind == "GeneratedSecret" and name == "pooler-statistics":
        kind = "ConnectionPool"
    key = keys.get(kind) or _MERGED.get(kind, kind)
    return _BY_KEY.get(key) or Place(key=f"{kind}:{name}", title=_in_words(name), tier=Tier.OPERATIONS)


def _in_words(name: str) -> str:
    """`static-assets` as a heading: `Static assets`."""
    words = name.replace("-", " ")
    return words[:1].upper() + words[1:]
