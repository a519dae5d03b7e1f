"""The cluster's version and its node pools."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject, no_such_type
from infra.cluster import capacity, fit, versions
from infra.cluster.versions import STANDARD_SUPPORT
from infra.instances import NODE_TYPES
from infra.model.service import Pool
from infra.model.stack import PoolSettings
from infra.problems import Problem


def check_kubernetes(subject: Subject) -> Iterator[Problem]:
    """The version is in standard support."""
    version = subject.settings.cluster.version
    if version not in STANDARD_SUPPORT:
        yield Problem(
            key="parking:cluster.version",
            found=version,
            allowed=", ".join(f"{v} (supported until {end})" for v, end in STANDARD_SUPPORT.items()),
            why="outside standard support AWS bills 0.60 USD an hour and upgrades on its own date",
            action="choose one of these; a newer one needs its add-ons pinned in infra/cluster/versions.py",
        )
        return
    try:
        versions.check(version)
    except versions.VersionError as error:
        yield Problem(
            key="parking:cluster.version",
            found=version,
            allowed="a version that every chart and add-on of infra/cluster/versions.py is used with",
            why=str(error),
            action="raise what stands in the way, after its release notes, or keep the version",
        )


def check_pools(subject: Subject) -> Iterator[Problem]:
    """Each pool's sizes and instance types."""
    pools = subject.settings.node_pools
    named: tuple[tuple[str, PoolSettings], ...] = (
        ("application", pools.application),
        ("database", pools.database),
        ("analytics", pools.analytics),
        ("analyticsGpu", pools.analytics_gpu),
    )
    for name, pool in named:
        key = f"parking:nodePools.{name}"
        if not pool.min_size <= pool.start_size <= pool.max_size:
            yield Problem(
                key=key,
                found=f"minSize {pool.min_size}, desiredSize {pool.start_size}, maxSize {pool.max_size}",
                allowed="minSize <= desiredSize <= maxSize",
                why="EKS refuses a node group outside its own bounds",
                action="put the three sizes in order",
            )
        for instance_type in (*pool.instance_types, *pool.spot_instance_types):
            if instance_type not in NODE_TYPES:
                yield no_such_type(key, instance_type, sorted(NODE_TYPES), "infra/instances.py")
        if pool.spot_share > 0 and not pool.spot_instance_types:
            yield Problem(
                key=f"{key}.spotInstanceTypes",
                found="none",
                allowed="several like-sized instance types",
                why="a spot group of one type is interrupted as a whole when that type runs short",
                action="list instance types, or set spotShare to 0",
            )


def check_fit(subject: Subject) -> Iterator[Problem]:
    """Pods at their bounds fit their pools at theirs: services, poolers, head-room."""
    for pool in Pool:
        settings = fit.settings_of(pool, subject.settings)
        size = NODE_TYPES.get(settings.instance_types[0])
        for bound, nodes in ((0, settings.min_size), (1, settings.max_size)):
            wanted = fit.pool_demand(
                pool,
                settings=subject.settings,
                services=subject.catalogue,
                replicas={
                    service.name: subject.bounds(service)[bound] + subject.canary_pods(service)
                    for service in subject.catalogue
                },
                surge=bound == 1,
            )
            needed = capacity.nodes_needed(wanted, size=size) if size else 0
            if needed > nodes:
                yield _too_small(
                    f"parking:nodePools.{pool.value}", ("minSize", "maxSize")[bound], needed, nodes, wanted
                )


def _too_small(key: str, bound: str, needed: int, nodes: int, wanted: capacity.Demand) -> Problem:
    return Problem(
        key=f"{key}.{bound}",
        found=f"{nodes} nodes",
        allowed=f"{needed} or more of this instance type: {wanted.pods} pods request "
        f"{wanted.cpu_millis / 1000:.1f} vCPU and {wanted.memory_mib / 1024:.1f} GiB",
        why=f"pods at their {bound[:3]}imum replicas must fit the pool at its {bound[:3]}imum",
        action=f"raise {bound}, take larger instances, or lower the services' replicas",
    )
