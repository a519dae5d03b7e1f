"""pgbouncer.ini as a pure function: which pools there are, how large, and how long anything may take.

The connection budget (how many server connections all pods of all regions may hold) is computed here too, because
it follows from the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.model.service import Service
from infra.model.stack import ConnectionPoolSettings
from infra.naming import PROJECT
from infra.ports import POOLER, POSTGRES

Version = tuple[int, int]

READ_ONLY_SUFFIX = "_ro"
STATISTICS_USER = "pooler_statistics"
"""May read the pooler's own tables (`SHOW POOLS`), and no database."""
STATISTICS_CONNECTIONS = 10
"""Room in each pod for the exporter and for people who look."""
SURGE_PODS = 1
"""Pods over the wished number while one is replaced: the old one drains, the new one already serves."""

QUERY_GRACE_SECONDS = 5
"""PgBouncer cuts that much after the server should have: its cut costs the connection, the server's only the
statement."""
SERVER_LIFETIME_SECONDS = 300
"""After a failover or a new reader, connections are where they belong within five minutes without a restart."""
DNS_TTL_SECONDS = 5
"""As long as RDS' own records live: a failover is followed at the next lookup."""
IDLE_TRANSACTION_SECONDS = 60
"""As the servers' `idle_in_transaction_session_timeout`."""
USERS_WATCH_SECONDS = 10
"""How often a pod looks whether its file of users has changed."""
PREPARED_STATEMENTS = 200
_PREPARED_STATEMENTS_SINCE: Version = (1, 21)
_CLIENT_LIMIT_SINCE: Version = (1, 24)


class TlsMode(StrEnum):
    """How a server's certificate is checked (`server_tls_sslmode`)."""

    VERIFY_FULL = "verify-full"
    VERIFY_CA = "verify-ca"
    DISABLE = "disable"
    """For tests on one machine only."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """One database as clients see it.

    Attributes:
        database: Name that clients ask for, e.g. `auth` or `auth_ro`.
        host: DNS name of the server.
        port: Its port.
        server_database: Name of the database there.
    """

    database: str
    host: str
    port: int = POSTGRES
    server_database: str = PROJECT


@dataclass(frozen=True, kw_only=True)
class PoolerFiles:
    """Where a pooler listens and what it reads.

    Attributes:
        userlist: Path of the file with users and passwords.
        authorities: Path of the authorities that sign the servers.
        listen_address: Address to listen on.
        port: Port to listen on.
        tls: How servers are verified.
    """

    userlist: str = "/etc/pgbouncer/credentials/userlist.txt"
    authorities: str = "/etc/pgbouncer/configuration/authorities.pem"
    listen_address: str = "*"
    port: int = POOLER
    tls: TlsMode = TlsMode.VERIFY_FULL


def start_script(*, ini: str, userlist: str, watch_seconds: float = USERS_WATCH_SECONDS) -> str:
    """The shell script that becomes PgBouncer and tells it when its file of users changes.

    PgBouncer reads the file when it is told to. That closes no connection, neither a client's nor a server's.

    Args:
        ini: Path of pgbouncer.ini.
        userlist: Path of the file with users and passwords.
        watch_seconds: Between two looks at it.
    """
    return (
        # After `exec`, PgBouncer has the number of this shell.
        f"seen=$(cksum <{userlist}); "
        f"while sleep {watch_seconds} && kill -0 $$; do "
        f'now=$(cksum <{userlist}) && [ "$now" != "$seen" ] && kill -HUP $$ && seen=$now; '
        f"done & exec pgbouncer {ini}"
    )


def role(service: Service) -> str:
    """PostgreSQL role of a service, which is also the name of its read-write pool."""
    return service.name


def read_only_pool(service: Service) -> str:
    """Name of a service's read-only pool."""
    return f"{role(service)}{READ_ONLY_SUFFIX}"


def users(services: Sequence[Service]) -> tuple[Service, ...]:
    """The services that have a database role, by name."""
    return tuple(sorted((s for s in services if s.uses_database), key=lambda service: service.name))


def writers(services: Sequence[Service]) -> tuple[Service, ...]:
    """Of them, those with a read-write pool."""
    return tuple(service for service in users(services) if service.writes_database)


def render(
    pools: Sequence[Pool],
    *,
    settings: ConnectionPoolSettings,
    version: Version,
    files: PoolerFiles | None = None,
) -> str:
    """The file pgbouncer.ini.

    Args:
        pools: The databases offered.
        settings: Connections and time limits.
        version: PgBouncer's version; older ones refuse a file with settings they do not know.
        files: Paths, address and TLS mode.

    Raises:
        ValueError: When there is no pool, or two have one name.
    """
    names = [pool.database for pool in pools]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"a pooler needs pools with names that differ; found {names}")
    databases = [_database(pool, settings=settings, version=version) for pool in pools]
    values = _values(len(pools), settings=settings, version=version, files=files or PoolerFiles())
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join(["[databases]", *databases, "", "[pgbouncer]", *lines, ""])


def _database(pool: Pool, *, settings: ConnectionPoolSettings, version: Version) -> str:
    fields: dict[str, object] = {
        "host": pool.host,
        "port": pool.port,
        "dbname": pool.server_database,
        "pool_size": settings.server_connections,
        # Over all users of the database, so that the budget holds whoever connects.
        "max_db_connections": settings.server_connections,
    }
    if version >= _CLIENT_LIMIT_SINCE:
        fields["max_db_client_connections"] = settings.client_connections
    # PgBouncer has no statement timeout of its own; the server's leaves the connection usable.
    fields["connect_query"] = f"'SET statement_timeout = {settings.statement_timeout_seconds * 1000}'"
    return f"{pool.database} = " + " ".join(f"{key}={value}" for key, value in fields.items())


def _values(
    pools: int, *, settings: ConnectionPoolSettings, version: Version, files: PoolerFiles
) -> Mapping[str, object]:
    optional = (
        {"max_prepared_statements": PREPARED_STATEMENTS} if version >= _PREPARED_STATEMENTS_SINCE else {}
    )
    return {
        "listen_addr": files.listen_address,
        "listen_port": files.port,
        # Nothing on a socket: the pods' file systems are read-only.
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": files.userlist,
        "stats_users": STATISTICS_USER,
        "pool_mode": "transaction",
        "max_client_conn": pools * settings.client_connections + STATISTICS_CONNECTIONS,
        "default_pool_size": settings.server_connections,
        # No reserve and no minimum: every server connection is in the budget.
        "min_pool_size": 0,
        "reserve_pool_size": 0,
        # Over all addresses of a name, so that readers share the load.
        "server_round_robin": 1,
        "query_timeout": settings.statement_timeout_seconds + QUERY_GRACE_SECONDS,
        # Who waits for a connection waits no longer than for a statement.
        "query_wait_timeout": settings.statement_timeout_seconds,
        "client_idle_timeout": settings.idle_timeout_seconds,
        "idle_transaction_timeout": IDLE_TRANSACTION_SECONDS,
        "server_idle_timeout": IDLE_TRANSACTION_SECONDS,
        "server_lifetime": SERVER_LIFETIME_SECONDS,
        "server_connect_timeout": 5,
        "server_login_retry": 1,
        "server_check_delay": 10,
        "dns_max_ttl": DNS_TTL_SECONDS,
        "dns_nxdomain_ttl": DNS_TTL_SECONDS,
        # A server that is gone without a word is noticed after 15 s.
        "tcp_keepalive": 1,
        "tcp_keepidle": 5,
        "tcp_keepintvl": 5,
        "tcp_keepcnt": 2,
        "tcp_user_timeout": 15_000,
        "server_tls_sslmode": files.tls.value,
        **({} if files.tls is TlsMode.DISABLE else {"server_tls_ca_file": files.authorities}),
        "server_tls_protocols": "secure",
        # What JDBC sends at start-up; everything else unknown is refused.
        "ignore_startup_parameters": "extra_float_digits",
        **optional,
        "log_connections": 0,
        "log_disconnections": 0,
    }


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Server connections that poolers may hold at once, at worst.

    Attributes:
        writer: On the writer, from all regions.
        reader: On one reader, were it the only one left.
    """

    writer: int
    reader: int


def budget(services: Sequence[Service], *, settings: ConnectionPoolSettings, readers: int) -> Budget:
    """What the pools take of the servers' `max_connections` at worst: every pool full while a pod is replaced.

    Pods of one region are replaced at a time, so the surge counts once.

    Args:
        services: The catalogue.
        settings: The pools.
        readers: Readers of the region; without any, the read-only pools are on the head.
    """
    own = settings.replicas + SURGE_PODS
    everywhere = settings.replicas * settings.regions + SURGE_PODS
    write = len(writers(services)) * settings.server_connections * everywhere
    read = len(users(services)) * settings.server_connections * own
    return Budget(writer=write, reader=read) if readers else Budget(writer=write + read, reader=write + read)
