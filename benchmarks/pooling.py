"""What the pooler costs and gives: pgbench through PgBouncer at 10:1, against direct connections."""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.data.pgbouncer import STATISTICS_USER, Pool
from infra.model.stack import ConnectionPoolSettings
from tests.dataplane.pooling import start_pooler
from tests.dataplane.servers import (
    Address,
    MissingProgramError,
    Postgres,
    folder_for_servers,
    program,
    query,
)

SECONDS = 10
"""Length of one measured run."""
SCALE = 10
"""pgbench's scale: a million accounts."""
_ROLE, _PASSWORD = "parking", "for-this-benchmark-only"
_KINDS = {
    "connections kept": (),
    "a connection a transaction": ("--connect",),
}


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """What one run of pgbench said.

    Attributes:
        per_second: Transactions a second.
        p95_ms: What 95% of the transactions stay under, in ms; connecting included where each does.
    """

    per_second: float
    p95_ms: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One kind of client, directly and through the pooler, in turns."""

    kind: str
    clients: int
    direct: Throughput
    pooled: Throughput
    server_connections: int
    """Of the pooler, at most."""
    rounds: int

    @property
    def throughput(self) -> float:
        """Transactions a second, pooled over direct."""
        return self.pooled.per_second / self.direct.per_second

    @property
    def p95(self) -> float:
        """p95, pooled over direct."""
        return self.pooled.p95_ms / self.direct.p95_ms


class PoolingFailedError(RuntimeError):
    """A run in which something failed; its numbers would mean nothing."""


def compare(*, rounds: int, say: Callable[[str], None]) -> list[Comparison]:
    """Measure every kind of client on a server of this benchmark's own.

    Args:
        rounds: How often the two alternate.
        say: Takes a line on how far it is.

    Raises:
        PoolingFailedError: When a program is missing, or pgbench fails.
    """
    settings = ConnectionPoolSettings()
    try:
        with folder_for_servers() as data, folder_for_servers() as pooling:
            postgres = Postgres(data, settings={"max_connections": "500"})
            _prepare(postgres)
            bouncer = start_pooler(
                pooling,
                [Pool(database=_ROLE, host="127.0.0.1", port=postgres.port)],
                settings=settings,
                passwords={_ROLE: _PASSWORD, STATISTICS_USER: _PASSWORD},
            )
            ways = {"direct": postgres.port, "pooled": bouncer.port}
            try:
                return [
                    _compare(kind, options, ways=ways, settings=settings, rounds=rounds, say=say)
                    for kind, options in _KINDS.items()
                ]
            finally:
                bouncer.stop()
                postgres.stop("immediate")
    except MissingProgramError as error:
        raise PoolingFailedError(str(error)) from error


def _prepare(postgres: Postgres) -> None:
    query(postgres.owner, "CREATE DATABASE parking")
    query(postgres.owner, f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{_PASSWORD}'")
    owner = Address(port=postgres.port, user="parking_owner", database="parking")
    query(owner, f"GRANT ALL ON SCHEMA public TO {_ROLE}")
    _pgbench(_address(postgres.port), "--initialize", "--quiet", f"--scale={SCALE}")


def _address(port: int) -> Address:
    return Address(port=port, user=_ROLE, database=_ROLE, password=_PASSWORD)


def _compare(
    kind: str,
    options: Sequence[str],
    *,
    ways: dict[str, int],
    settings: ConnectionPoolSettings,
    rounds: int,
    say: Callable[[str], None],
) -> Comparison:
    clients = settings.client_connections
    runs: dict[str, list[Throughput]] = {way: [] for way in ways}
    # The first round fills the caches.
    for number in range(rounds + 1):
        for way, port in ways.items():
            found = _run(_address(port), clients=clients, options=options)
            say(f"{found.per_second:6.0f} transactions a second, p95 {found.p95_ms:6.1f} ms: {kind}, {way}")
            if number:
                runs[way].append(found)
    return Comparison(
        kind=kind,
        clients=clients,
        direct=_median(runs["direct"]),
        pooled=_median(runs["pooled"]),
        server_connections=settings.server_connections,
        rounds=rounds,
    )


def _run(address: Address, *, clients: int, options: Sequence[str]) -> Throughput:
    with tempfile.TemporaryDirectory(prefix="parking-pgbench-") as folder:
        said = _pgbench(
            address,
            "--no-vacuum",
            # Updates of random accounts; the other built-in script waits for a few rows that all update.
            "--builtin=simple-update",
            f"--client={clients}",
            "--jobs=2",
            f"--time={SECONDS}",
            "--log",
            f"--log-prefix={folder}/log",
            *options,
        )
        times = sorted(
            int(line.split()[2]) / 1000
            for path in Path(folder).iterdir()
            for line in path.read_text(encoding="ascii").splitlines()
        )
    per_second = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", said, re.MULTILINE)
    if not times or per_second is None or (failed and int(failed[1])):
        raise PoolingFailedError(f"pgbench measured nothing, or transactions failed:\n{said}")
    return Throughput(per_second=float(per_second[1]), p95_ms=times[int(len(times) * 0.95)])


def _median(runs: Sequence[Throughput]) -> Throughput:
    return Throughput(
        per_second=statistics.median(run.per_second for run in runs),
        p95_ms=statistics.median(run.p95_ms for run in runs),
    )


def _pgbench(address: Address, *arguments: str) -> str:
    done = subprocess.run(
        [program("pgbench", package="postgresql"), *arguments],
        env=dict(address.environment),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise PoolingFailedError(f"pgbench failed: {done.stderr[-2000:]}")
    return done.stdout
