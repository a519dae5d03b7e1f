"""The parameters of the PostgreSQL servers, as data: value, when it takes effect, why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Apply(StrEnum):
    """When RDS applies a changed parameter (`apply_method`)."""

    DYNAMIC = "immediate"
    STATIC = "pending-reboot"


@dataclass(frozen=True, kw_only=True)
class PostgresParameter:
    """One parameter of the group.

    Attributes:
        name: PostgreSQL's or RDS's own name.
        value: In the parameter's own unit, as RDS takes it.
        apply: Whether a change waits for a reboot.
        why: Why it is not left at the default, unit included.
    """

    name: str
    value: str
    apply: Apply
    why: str


def family(engine_version: str) -> str:
    """Parameter group family of an engine version: `postgres17` of `17.10`."""
    return f"postgres{engine_version.split('.', maxsplit=1)[0]}"


def _access(max_connections: int) -> tuple[PostgresParameter, ...]:
    return (
        PostgresParameter(
            name="max_connections",
            value=str(max_connections),
            apply=Apply.STATIC,
            why="the connection budget that the pools are checked against; a replica needs as many as its source",
        ),
        PostgresParameter(
            name="rds.force_ssl",
            value="1",
            apply=Apply.DYNAMIC,
            why="no connection in clear; said although it is the default from version 15",
        ),
        PostgresParameter(
            name="password_encryption",
            value="scram-sha-256",
            apply=Apply.DYNAMIC,
            why="no MD5 password hashes",
        ),
        PostgresParameter(
            name="idle_in_transaction_session_timeout",
            value="60000",
            apply=Apply.DYNAMIC,
            why="ms; a client that forgot its transaction holds a pooled connection and stops vacuum",
        ),
        PostgresParameter(
            name="tcp_keepalives_idle",
            value="60",
            apply=Apply.DYNAMIC,
            why="s; a peer lost in a failover gives its connection back within two minutes",
        ),
        PostgresParameter(
            name="tcp_keepalives_interval", value="10", apply=Apply.DYNAMIC, why="s between two probes"
        ),
        PostgresParameter(
            name="tcp_keepalives_count", value="6", apply=Apply.DYNAMIC, why="probes before a peer is lost"
        ),
    )


_OBSERVATION = (
    PostgresParameter(
        name="shared_preload_libraries",
        value="pg_stat_statements",
        apply=Apply.STATIC,
        why="statement statistics for Database Insights",
    ),
    PostgresParameter(
        name="pg_stat_statements.track",
        value="ALL",
        apply=Apply.DYNAMIC,
        why="statements inside functions count too",
    ),
    PostgresParameter(
        name="log_min_duration_statement",
        value="500",
        apply=Apply.DYNAMIC,
        why="ms; the longest latency objective of a database-backed operation (vehicle search)",
    ),
    PostgresParameter(
        name="log_lock_waits", value="1", apply=Apply.DYNAMIC, why="waits over deadlock_timeout are logged"
    ),
    PostgresParameter(
        name="log_temp_files",
        value="10240",
        apply=Apply.DYNAMIC,
        why="kB; sorts that spill more than 10 MiB to disk are logged",
    ),
    PostgresParameter(
        name="log_statement", value="ddl", apply=Apply.DYNAMIC, why="changes of schema leave a trace"
    ),
    PostgresParameter(
        name="track_io_timing",
        value="1",
        apply=Apply.DYNAMIC,
        why="time spent on reads and writes by statement",
    ),
)

_AUTOVACUUM = (
    PostgresParameter(
        name="autovacuum_vacuum_scale_factor",
        value="0.02",
        apply=Apply.DYNAMIC,
        why="share of dead rows; 0.2 would let a partition of millions of rows rot before the first vacuum",
    ),
    PostgresParameter(
        name="autovacuum_vacuum_insert_scale_factor",
        value="0.05",
        apply=Apply.DYNAMIC,
        why="share of new rows; keeps the visibility map of append-mostly partitions fresh",
    ),
    PostgresParameter(
        name="autovacuum_analyze_scale_factor",
        value="0.01",
        apply=Apply.DYNAMIC,
        why="share of changed rows; a new quarter's partition needs statistics early for pruning and joins",
    ),
    PostgresParameter(
        name="autovacuum_max_workers",
        value="6",
        apply=Apply.STATIC,
        why="partitions are vacuumed one by one: 4 location groups and their quarters at once",
    ),
    PostgresParameter(
        name="autovacuum_naptime", value="15", apply=Apply.DYNAMIC, why="s between two looks at a database"
    ),
    PostgresParameter(
        name="autovacuum_vacuum_cost_limit",
        value="2000",
        apply=Apply.DYNAMIC,
        why="shared by all workers; the default 200 starves six of them on provisioned IOPS",
    ),
    PostgresParameter(
        name="log_autovacuum_min_duration",
        value="1000",
        apply=Apply.DYNAMIC,
        why="ms; slow vacuums are logged",
    ),
)

_REPLICATION = (
    PostgresParameter(
        name="rds.logical_replication",
        value="0",
        apply=Apply.STATIC,
        why="replicas are physical; a forgotten logical slot would fill the disk",
    ),
    PostgresParameter(
        name="max_standby_streaming_delay",
        value="30000",
        apply=Apply.DYNAMIC,
        why="ms; a reader's query may hold replay back as long as a statement may run, no longer",
    ),
    PostgresParameter(
        name="hot_standby_feedback",
        value="0",
        apply=Apply.DYNAMIC,
        why="a reader's long query must not bloat the writer's tables",
    ),
)

_PLANNING = (
    PostgresParameter(
        name="random_page_cost", value="1.1", apply=Apply.DYNAMIC, why="SSD: a random read costs hardly more"
    ),
    PostgresParameter(
        name="enable_partitionwise_aggregate",
        value="1",
        apply=Apply.DYNAMIC,
        why="statistics over locations and quarters are aggregated per partition",
    ),
    PostgresParameter(
        name="jit",
        value="0",
        apply=Apply.DYNAMIC,
        why="compiling costs short transactions more than it saves",
    ),
)


def catalogue(*, max_connections: int) -> tuple[PostgresParameter, ...]:
    """Parameters of every server of a region, writer and replicas alike, by name.

    Writer and replicas share them, because a reader or recovery replica with fewer connections than its source
    would stop replaying, and because a promotion must change nothing.

    Args:
        max_connections: Connections that a server takes.
    """
    parameters = (*_access(max_connections), *_OBSERVATION, *_AUTOVACUUM, *_REPLICATION, *_PLANNING)
    return tuple(sorted(parameters, key=lambda parameter: parameter.name))
