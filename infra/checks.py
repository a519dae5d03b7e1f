"""Checks over several settings, all of them before any resource is declared.

Pure: settings and the catalogue in, problems out. `check` runs every one, so a stack file's errors come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from infra import addressing, cache_memory, capacity, pgbouncer
from infra.addressing import ZONE_LETTERS
from infra.instances import BROKER_TYPES, CACHE_NODE_GIB, DATABASE_CLASSES, NODE_TYPES
from infra.model.service import Pool, Service
from infra.model.stack import CacheSettings, PoolSettings, Role, ServiceSettings, StackSettings
from infra.problems import Problem
from infra.traffic_checks import traffic_problems

STANDARD_SUPPORT = {"1.34": "2026-12-02", "1.35": "2027-03-27", "1.36": "2027-08-02"}
"""Kubernetes versions that the add-ons are pinned for, and when EKS ends their standard support."""
_DURABLE_ENGINE = (9, 0)
_SMALL_VOLUME_GIB = 400
_MAX_REPLICAS = 15


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a check looks at."""

    settings: StackSettings
    catalogue: tuple[Service, ...]
    other_ranges: Mapping[str, str]

    def service_settings(self, service: Service) -> ServiceSettings | None:
        """The stack's word on a service, if it has one."""
        return self.settings.services.get(service.name)

    def bounds(self, service: Service) -> tuple[int, int]:
        """Replica bounds after the stack's overrides."""
        own = self.service_settings(service)
        low = own.min_replicas if own and own.min_replicas else service.scaling.min_replicas
        high = own.max_replicas if own and own.max_replicas else service.scaling.max_replicas
        return low, high

    def partitions(self, topic: str) -> int | None:
        """Partitions of a topic after the stack's overrides; None for a topic nobody declares."""
        if topic in self.settings.streaming.topics:
            return self.settings.streaming.topics[topic].partitions
        return next((t.partitions for s in self.catalogue for t in s.topics if t.name == topic), None)


def check(
    settings: StackSettings, *, catalogue: tuple[Service, ...], other_ranges: Mapping[str, str]
) -> list[Problem]:
    """Every problem of a stack's settings.

    Args:
        settings: The stack's settings, each field valid by itself.
        catalogue: The services that the stack deploys.
        other_ranges: VPC range of every other stack, by stack name.
    """
    subject = Subject(settings=settings, catalogue=catalogue, other_ranges=other_ranges)
    return [problem for one in _CHECKS for problem in one(subject)]


def _zones(subject: Subject) -> Iterator[Problem]:
    network, region = subject.settings.network, subject.settings.region
    for place, zone in enumerate(network.zones):
        if zone[:-1] != region or zone[-1] not in ZONE_LETTERS:
            yield Problem(
                key=f"parking:network.zones[{place}]",
                found=zone,
                allowed=", ".join(f"{region}{letter}" for letter in ZONE_LETTERS),
                why=f"the stack is in aws:region {region}, and the address plan has blocks for zones a to d",
                action="name zones of the stack's region, or change aws:region",
            )
    if len(set(network.zones)) != len(network.zones):
        yield Problem(
            key="parking:network.zones",
            found=", ".join(network.zones),
            allowed="each zone once",
            why="two subnets of a tier in one zone would overlap",
            action="remove the repeated zone",
        )


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr)
    except ValueError:
        return None


def _ranges(subject: Subject) -> Iterator[Problem]:
    cidr, service_cidr = subject.settings.network.cidr, subject.settings.cluster.service_cidr
    own = _network(cidr)
    if own is None or own.prefixlen != 16 or not own.is_private:
        yield Problem(
            key="parking:network.cidr",
            found=cidr,
            allowed="a private /16 network address, e.g. 10.3.0.0/16",
            why="the address plan divides a /16 by zone and tier",
            action="choose a /16 that no other stack uses",
        )
        return
    for stack, other_cidr in subject.other_ranges.items():
        other = _network(other_cidr)
        if other is not None and own.overlaps(other):
            yield Problem(
                key="parking:network.cidr",
                found=f"{cidr}, overlapping {other_cidr} of stack {stack}",
                allowed="a range disjoint from every other stack's",
                why="overlapping VPCs can never be peered, and a range cannot be changed without replacing the VPC",
                action="choose a /16 that no Pulumi.<stack>.yaml uses",
            )
    services = _network(service_cidr)
    if services is None or services.overlaps(own):
        yield Problem(
            key="parking:cluster.serviceCidr",
            found=service_cidr,
            allowed=f"a network address outside {cidr}",
            why="Kubernetes service addresses must not shadow addresses of the VPC",
            action="choose another range, e.g. 172.20.0.0/16",
        )
    for place, public in enumerate(subject.settings.cluster.public_access_cidrs):
        if public == "0.0.0.0/0" or _network(public) is None:
            yield Problem(
                key=f"parking:cluster.publicAccessCidrs[{place}]",
                found=public,
                allowed="valid ranges of your offices or VPN, never 0.0.0.0/0",
                why="the API endpoint must not be open to the internet",
                action="name the ranges, or leave the list empty for a private endpoint",
            )


def _roles(subject: Subject) -> Iterator[Problem]:
    settings = subject.settings
    if settings.role is Role.SECONDARY and settings.primary_stack is None:
        yield Problem(
            key="parking:primaryStack",
            found="nothing",
            allowed="the name of the primary's stack, e.g. prod",
            why="a secondary region reads the primary's outputs",
            action="add parking:primaryStack, or set parking:role to primary",
        )
    if settings.role is Role.PRIMARY and settings.primary_stack is not None:
        yield Problem(
            key="parking:primaryStack",
            found=settings.primary_stack,
            allowed="nothing, in a primary stack",
            why="a primary reads no other stack; two would wait for each other",
            action="remove parking:primaryStack, or set parking:role to secondary",
        )


def _pools(subject: Subject) -> Iterator[Problem]:
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
                yield _no_such_type(key, instance_type, sorted(NODE_TYPES), "infra/instances.py")
        if pool.spot_share > 0 and not pool.spot_instance_types:
            yield Problem(
                key=f"{key}.spotInstanceTypes",
                found="none",
                allowed="several like-sized instance types",
                why="a spot group of one type is interrupted as a whole when that type runs short",
                action="list instance types, or set spotShare to 0",
            )


def _no_such_type(key: str, found: str, known: list[str], table: str) -> Problem:
    family = found.rsplit(".", 1)[0]
    near = [name for name in known if name.startswith(f"{family}.")]
    allowed = near or sorted({name.rsplit(".", 1)[0] + ".*" for name in known})
    return Problem(
        key=key,
        found=found,
        allowed=", ".join(allowed),
        why="AWS offers no such instance type for this use, or it is not in this project's table",
        action=f"use one that is allowed; a newer type that AWS offers is added in {table}",
    )


def _database(subject: Subject) -> Iterator[Problem]:
    database = subject.settings.database
    for key, name in (("instanceClass", database.instance_class), ("readerClass", database.reader_class)):
        if name not in DATABASE_CLASSES:
            yield _no_such_type(
                f"parking:database.{key}", name, sorted(DATABASE_CLASSES), "infra/instances.py"
            )
    if database.max_storage_gib < database.storage_gib:
        yield Problem(
            key="parking:database.maxStorageGib",
            found=str(database.max_storage_gib),
            allowed=f"{database.storage_gib} (storageGib) or more",
            why="storage autoscaling cannot end below the allocated size",
            action="raise maxStorageGib",
        )
    small = database.storage_gib < _SMALL_VOLUME_GIB
    if small and (database.iops is not None or database.throughput_mibps is not None):
        yield Problem(
            key="parking:database.iops",
            found=f"iops {database.iops}, throughputMibps {database.throughput_mibps}",
            allowed="null for both, with less than 400 GiB",
            why="RDS fixes gp3 at 3,000 IOPS and 125 MiB/s below 400 GiB",
            action="set iops and throughputMibps to null, or storageGib to 400 or more",
        )
    if not small and (database.iops is None or not 12_000 <= database.iops <= 64_000):
        yield Problem(
            key="parking:database.iops",
            found=str(database.iops),
            allowed="12,000 to 64,000, from 400 GiB",
            why="RDS stripes gp3 from 400 GiB on and starts at 12,000 IOPS",
            action="set iops in that range",
        )
    if not small and (database.throughput_mibps is None or database.throughput_mibps < 500):
        yield Problem(
            key="parking:database.throughputMibps",
            found=str(database.throughput_mibps),
            allowed="500 to 4,000, from 400 GiB",
            why="RDS stripes gp3 from 400 GiB on and starts at 500 MiB/s",
            action="set throughputMibps in that range",
        )
    if (
        database.readers > database.max_readers
        or database.max_readers + database.recovery_replicas > _MAX_REPLICAS
    ):
        yield Problem(
            key="parking:database.maxReaders",
            found=f"readers {database.readers}, maxReaders {database.max_readers}, "
            f"recoveryReplicas {database.recovery_replicas}",
            allowed="readers <= maxReaders, and maxReaders + recoveryReplicas at most 15",
            why="one RDS instance feeds at most 15 replicas",
            action="lower maxReaders, or raise it to readers",
        )


def _connections(subject: Subject) -> Iterator[Problem]:
    pool, database = subject.settings.connection_pool, subject.settings.database
    taken = pgbouncer.budget(subject.catalogue, settings=pool, readers=database.readers)
    offered = database.max_connections - database.reserved_connections
    for server, needed, services in (
        ("writer", taken.writer, pgbouncer.writers(subject.catalogue)),
        ("reader", taken.reader, pgbouncer.users(subject.catalogue)),
    ):
        if needed > offered:
            yield Problem(
                key="parking:connectionPool",
                found=f"{needed} server connections on a {server}: {pool.server_connections} a pool, pools of "
                f"{', '.join(service.name for service in services)}, {pool.replicas} PgBouncer pods"
                + (f" in each of {pool.regions} regions" if server == "writer" else "")
                + f", {pgbouncer.SURGE_PODS} more while one is replaced",
                allowed=f"{offered}: database.maxConnections {database.max_connections} "
                f"less {database.reserved_connections} reserved",
                why="past its limit PostgreSQL refuses connections, to every service",
                action="lower replicas or clientConnections, or raise multiplexingRatio or database.maxConnections",
            )


def _caches(subject: Subject) -> Iterator[Problem]:
    caches = subject.settings.caches
    engine = tuple(int(part) for part in caches.engine_version.split("."))
    stores: tuple[tuple[str, CacheSettings], ...] = (
        ("cache", caches.cache),
        ("sessions", caches.sessions),
        ("rateLimit", caches.rate_limit),
    )
    for name, store in stores:
        key = f"parking:caches.{name}"
        if store.node_type not in CACHE_NODE_GIB:
            yield _no_such_type(
                f"{key}.nodeType", store.node_type, sorted(CACHE_NODE_GIB), "infra/instances.py"
            )
        else:
            yield from _memory(subject, key, store, name="rate-limit" if name == "rateLimit" else name)
        if store.durability != "disabled" and (engine < _DURABLE_ENGINE or store.replicas_per_shard < 1):
            yield Problem(
                key=f"{key}.durability",
                found=f"{store.durability} with engine {caches.engine_version} and "
                f"{store.replicas_per_shard} replicas a shard",
                allowed="async or sync with engine 9.0 or later and at least 1 replica a shard; else disabled",
                why="ElastiCache writes the durable log to replicas, from Valkey 9 on",
                action="add a replica, raise engineVersion, or set durability to disabled",
            )


def _memory(subject: Subject, key: str, store: CacheSettings, *, name: str) -> Iterator[Problem]:
    needed = cache_memory.needed_bytes(subject.catalogue, store=name)
    offered = cache_memory.offered_bytes(store)
    if needed > offered:
        yield Problem(
            key=f"{key}.nodeType",
            found=f"{store.shards} x {store.node_type}, {offered / 2**30:.1f} GiB for data",
            allowed=f"{needed / 2**30:.1f} GiB or more",
            why="entries that live at once (writes a second x TTL) must fit, or they are evicted before their time",
            action="take larger nodes or more shards, or correct the assumptions at the entries in services/",
        )


def _streaming(subject: Subject) -> Iterator[Problem]:
    streaming, zones = subject.settings.streaming, len(subject.settings.network.zones)
    if streaming.broker_type not in BROKER_TYPES:
        yield _no_such_type(
            "parking:streaming.brokerType", streaming.broker_type, sorted(BROKER_TYPES), "infra/instances.py"
        )
    if streaming.brokers % zones:
        yield Problem(
            key="parking:streaming.brokers",
            found=f"{streaming.brokers} brokers in {zones} zones",
            allowed=f"a multiple of {zones}",
            why="MSK places the same number of brokers in every zone",
            action="change brokers or network.zones",
        )
    if not streaming.min_insync_replicas < streaming.replication_factor <= streaming.brokers:
        yield Problem(
            key="parking:streaming.replicationFactor",
            found=f"minInsyncReplicas {streaming.min_insync_replicas}, replicationFactor "
            f"{streaming.replication_factor}, brokers {streaming.brokers}",
            allowed="minInsyncReplicas < replicationFactor <= brokers",
            why="with as many in-sync replicas required as there are, one lost broker stops every write",
            action="put the three in order",
        )
    if streaming.max_storage_gib < streaming.storage_gib:
        yield Problem(
            key="parking:streaming.maxStorageGib",
            found=str(streaming.max_storage_gib),
            allowed=f"{streaming.storage_gib} (storageGib) or more",
            why="broker storage only ever grows",
            action="raise maxStorageGib",
        )
    declared = {topic.name for service in subject.catalogue for topic in service.topics}
    for topic in sorted(set(streaming.topics) - declared):
        yield Problem(
            key=f"parking:streaming.topics.{topic}",
            found="a topic that no service declares",
            allowed=", ".join(sorted(declared)),
            why="topics belong to the service that owns them, in services/",
            action="correct the name, or declare the topic in its service",
        )


def _consumers(subject: Subject) -> Iterator[Problem]:
    for service in subject.catalogue:
        own = subject.service_settings(service)
        if service.consumption:
            consumers = own.consumers if own and own.consumers else service.consumption.consumers
            for topic in service.consumption.topics:
                partitions = subject.partitions(topic)
                if partitions is not None and consumers > partitions:
                    yield _more_consumers(
                        f"parking:services.{service.name}.consumers", consumers, topic, partitions
                    )
        for metric in service.scaling.metrics:
            if metric.kind == "kafka":
                partitions, high = subject.partitions(metric.topic), subject.bounds(service)[1]
                if partitions is not None and high > partitions:
                    yield _more_consumers(
                        f"parking:services.{service.name}.maxReplicas", high, metric.topic, partitions
                    )


def _more_consumers(key: str, found: int, topic: str, partitions: int) -> Problem:
    return Problem(
        key=key,
        found=str(found),
        allowed=f"at most {partitions}, the partitions of {topic}",
        why="Kafka gives a partition to one member of a group: members past the partitions idle",
        action=f"lower it, or raise parking:streaming.topics.{topic}.partitions (they never shrink)",
    )


def _services(subject: Subject) -> Iterator[Problem]:
    known = {service.name for service in subject.catalogue}
    for name in sorted(set(subject.settings.services) ^ known):
        missing = name in known
        yield Problem(
            key=f"parking:services.{name}",
            found="nothing" if missing else "a service that is not in the catalogue",
            allowed=", ".join(sorted(known)),
            why="a stack deploys every service of services/, each with an image",
            action="add it with an image" if missing else "correct the name, or add the service in services/",
        )
    for service in subject.catalogue:
        own = subject.service_settings(service)
        if own is None:
            continue
        key = f"parking:services.{service.name}"
        low, high = subject.bounds(service)
        if low > high:
            yield Problem(
                key=f"{key}.minReplicas",
                found=f"minReplicas {low}, maxReplicas {high}",
                allowed="minReplicas <= maxReplicas",
                why="no autoscaler can keep both",
                action="put them in order; a number left out is the catalogue's",
            )
        image = own.image
        if (image.tag is None) == (image.digest is None) or image.tag == "latest":
            yield Problem(
                key=f"{key}.image",
                found=f"tag {image.tag}, digest {image.digest}",
                allowed="either an immutable tag (not latest) or a digest sha256:...",
                why="what runs must be what was reviewed, on every node and after every restart",
                action="pin one of the two",
            )


def _fit(subject: Subject) -> Iterator[Problem]:
    pools = subject.settings.node_pools
    for pool, settings in ((Pool.APPLICATION, pools.application), (Pool.ANALYTICS, pools.analytics)):
        size = NODE_TYPES.get(settings.instance_types[0])
        for bound, nodes in ((0, settings.min_size), (1, settings.max_size)):
            wanted = capacity.Demand(cpu_millis=0, memory_mib=0, pods=0)
            for service in subject.catalogue:
                if service.pool is pool:
                    resources = service.resources
                    wanted += capacity.demand(
                        cpu=resources.cpu_request,
                        memory=resources.memory_request,
                        pods=subject.bounds(service)[bound],
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


def _addresses(subject: Subject) -> Iterator[Problem]:
    settings = subject.settings
    network = settings.network
    pools = settings.node_pools
    try:
        offered = addressing.pod_addresses(vpc_cidr=network.cidr, zones=network.zones)
    except addressing.AddressPlanError:
        return  # _zones and _ranges have said it
    wanted = 0
    for pool in (pools.application, pools.database, pools.analytics, pools.analytics_gpu):
        size = NODE_TYPES.get(pool.instance_types[0])
        if size:
            wanted += capacity.addresses_of_nodes(nodes=pool.max_size, pods_per_node=size.max_pods)
    if wanted > offered:
        yield Problem(
            key="parking:network.zones",
            found=f"{offered} addresses for nodes and pods in {len(network.zones)} zones",
            allowed=f"at least {wanted}, what the node pools take at their maximum",
            why="a pod without an address stays pending",
            action="add a zone, or lower maxSize of the node pools",
        )


def _kubernetes(subject: Subject) -> Iterator[Problem]:
    version = subject.settings.cluster.version
    if version not in STANDARD_SUPPORT:
        yield Problem(
            key="parking:cluster.version",
            found=version,
            allowed=", ".join(f"{v} (supported until {end})" for v, end in STANDARD_SUPPORT.items()),
            why="outside standard support AWS bills 0.60 USD an hour and upgrades on its own date",
            action="choose one of these; a newer one needs its add-ons pinned in infra/versions.py",
        )


def _traffic(subject: Subject) -> Iterator[Problem]:
    yield from traffic_problems(subject.settings, subject.catalogue)


_CHECKS: tuple[Callable[[Subject], Iterator[Problem]], ...] = (
    _zones,
    _ranges,
    _roles,
    _kubernetes,
    _pools,
    _fit,
    _addresses,
    _database,
    _connections,
    _caches,
    _streaming,
    _consumers,
    _services,
    _traffic,
)
