"""Which instance types exist and how large they are, as far as settings may name them.

Sizes: AWS instance type pages and `max connections`-relevant memory, gathered 2026-11. A test compares every
class here with the allowed values that cfn-lint bundles, so that the table cannot invent one.
"""

from __future__ import annotations

from dataclasses import dataclass

_VCPUS = {
    "medium": 1,
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "9xlarge": 36,
    "12xlarge": 48,
    "16xlarge": 64,
    "18xlarge": 72,
    "24xlarge": 96,
}
_USUAL = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
_GRAVITON = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")

_NODE_FAMILIES: dict[str, tuple[float, tuple[str, ...]]] = {
    "c5": (2.0, ("large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge")),
    "c5a": (2.0, _USUAL),
    "c6i": (2.0, _USUAL),
    "c6a": (2.0, _USUAL),
    "c7i": (2.0, _USUAL),
    "m5": (4.0, _USUAL),
    "m5a": (4.0, _USUAL),
    "m6i": (4.0, _USUAL),
    "m7i": (4.0, _USUAL),
    "r5": (8.0, _USUAL),
    "r5a": (8.0, _USUAL),
    "r6i": (8.0, _USUAL),
    "r7i": (8.0, _USUAL),
    "g4dn": (4.0, ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")),
    "g5": (4.0, ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")),
}
_DATABASE_FAMILIES: dict[str, tuple[float, tuple[str, ...]]] = {
    "r6g": (8.0, _GRAVITON),
    "r7g": (8.0, _GRAVITON),
    "m6g": (4.0, _GRAVITON),
    "m7g": (4.0, _GRAVITON),
    "r6i": (8.0, _USUAL),
}
_SMALL_DATABASES = {"db.t4g.medium": (2, 4.0), "db.t4g.large": (2, 8.0)}
_CACHE_GIB = {
    "cache.t4g.small": 1.37,
    "cache.t4g.medium": 3.09,
    "cache.m6g.large": 6.38,
    "cache.m6g.xlarge": 12.93,
    "cache.m6g.2xlarge": 26.04,
    "cache.m7g.large": 6.38,
    "cache.m7g.xlarge": 12.93,
    "cache.r6g.large": 13.07,
    "cache.r6g.xlarge": 26.32,
    "cache.r6g.2xlarge": 52.82,
    "cache.r6g.4xlarge": 105.81,
    "cache.r7g.large": 13.07,
    "cache.r7g.xlarge": 26.32,
    "cache.r7g.2xlarge": 52.82,
}
_BROKER_TYPES = (
    "kafka.t3.small",
    *(
        f"kafka.m5.{size}"
        for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
    ),
    *(
        f"kafka.m7g.{size}"
        for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
    ),
)
_PREFIX_PODS_SMALL, _PREFIX_PODS_LARGE = 110, 250
"""Pods a node with prefix delegation: up to 30 vCPU, above (EKS best practices)."""


@dataclass(frozen=True, kw_only=True)
class InstanceSize:
    """Size of an instance: vCPUs and memory in GiB."""

    vcpus: int
    memory_gib: float

    @property
    def max_pods(self) -> int:
        """Pods a node of this size takes with VPC CNI prefix delegation."""
        return _PREFIX_PODS_SMALL if self.vcpus <= 30 else _PREFIX_PODS_LARGE


def _from_families(
    families: dict[str, tuple[float, tuple[str, ...]]], *, prefix: str = ""
) -> dict[str, InstanceSize]:
    return {
        f"{prefix}{family}.{size}": InstanceSize(vcpus=_VCPUS[size], memory_gib=_VCPUS[size] * per_vcpu)
        for family, (per_vcpu, sizes) in families.items()
        for size in sizes
    }


NODE_TYPES = _from_families(_NODE_FAMILIES)
"""EC2 types for node pools."""
DATABASE_CLASSES = _from_families(_DATABASE_FAMILIES, prefix="db.") | {
    name: InstanceSize(vcpus=vcpus, memory_gib=memory) for name, (vcpus, memory) in _SMALL_DATABASES.items()
}
"""RDS for PostgreSQL classes."""
CACHE_NODE_GIB = dict(_CACHE_GIB)
"""ElastiCache node types and their usable memory in GiB."""
BROKER_TYPES = frozenset(_BROKER_TYPES)
"""MSK broker types (Standard brokers)."""
