"""Real PostgreSQL and PgBouncer on loopback, as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from infra.data.pgbouncer import start_script
from infra.local import processes

START_SECONDS = 60
OWNER = "parking_owner"


class MissingProgramError(RuntimeError):
    """A program that these tests need is not installed."""


class SqlError(RuntimeError):
    """What psql said when it failed."""


def program(name: str, *, package: str) -> str:
    """Path of a program.

    Raises:
        MissingProgramError: Names the Debian package that has it.
    """
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingProgramError(f"{name} is not installed: apt-get install -y {package}")
    return found


@contextmanager
def folder_for_servers() -> Generator[Path]:
    """A folder that an unprivileged server may enter; pytest's own are closed to other users at any moment."""
    with tempfile.TemporaryDirectory(prefix="parking-dataplane-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged() -> int | None:
    """User to run servers as: `nobody` where the tests are root's, else their own."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def until(ready: Callable[[], bool], *, what: str, seconds: float = START_SECONDS) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: When it does not come true.
    """
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.1)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where and as whom to connect."""

    port: int
    user: str
    database: str
    password: str = ""
    host: str = "127.0.0.1"

    @property
    def environment(self) -> Mapping[str, str]:
        """libpq's variables."""
        return {
            "PATH": os.environ["PATH"],
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
            "PGPASSWORD": self.password,
            "PGCONNECT_TIMEOUT": "10",
        }


def psql(
    address: Address, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run psql; rows come without decoration.

    Raises:
        SqlError: When it fails and `check` asks for success, with what the server said.
    """
    done = subprocess.run(
        [program("psql", package="postgresql-client"), "-XAtq", "-v", "ON_ERROR_STOP=1", *arguments],
        env={**address.environment, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if check and done.returncode:
        raise SqlError(done.stderr)
    return done


def query(address: Address, statement: str) -> str:
    """Answer of a statement."""
    return psql(address, "-c", statement).stdout.strip()


class Postgres:
    """A PostgreSQL server in a folder of its own.

    Args:
        folder: An empty folder.
        settings: Settings beyond the defaults.
        host: The loopback address that it listens on.
        port: Its port; 0: a free one.
        source: The server that it replicates; none: it is a writer.
        backup: A base backup that it is restored from, by settings that say from where and until when.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        source: Postgres | None = None,
        backup: Path | None = None,
    ) -> None:
        self.host, self.port = host, port or free_port()
        self.owner = Address(port=self.port, user=OWNER, database="postgres", host=host)
        self._user, self._data, self.log = unprivileged(), folder / "data", folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            os.chown(folder, self._user, -1)
        if backup is not None:
            # Keeps owners and rights, which PostgreSQL insists on.
            subprocess.run(["cp", "-a", str(backup), str(self._data)], check=True, timeout=120)
            (self._data / "recovery.signal").touch()
        elif source is None:
            self._run("initdb", "-D", str(self._data), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        else:
            login = ["-h", source.host, "-p", str(source.port), "-U", OWNER, "--no-sync"]
            self._run("pg_basebackup", "-D", str(self._data), "-R", "-X", "stream", "-c", "fast", *login)
        self._configure(settings or {})
        self.start()

    def _configure(self, settings: Mapping[str, str]) -> None:
        given = {
            "port": self.port,
            "listen_addresses": self.host,
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            **settings,
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in given.items())
        (self._data / "pg_hba.conf").write_text(
            f"host all {OWNER} 127.0.0.0/8 trust\nhost replication {OWNER} 127.0.0.0/8 trust\n"
            "host all all 127.0.0.0/8 scram-sha-256\n"
        )

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name, package="postgresql"), *arguments],
            user=self._user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres", package="postgresql"), "-D", str(self._data)],
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=processes.die_with_parent,  # noqa: PLW1509 - it makes one system call
            )
        until(self._answers, what="PostgreSQL's start")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended:\n{self.log.read_text()}")
        return psql(self.owner, "-c", "SELECT 1", check=False).returncode == 0

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast`, or `immediate`, which is a crash. Nothing where it does not run."""
        if self._process is not None:
            self._process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
            self._process.wait(timeout=60)

    def kill(self) -> None:
        """SIGKILL for every process of it, as when the machine is lost."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(timeout=30)

    def base_backup(self, folder: Path) -> None:
        """Copy its files while it runs, without the logs: those are the archive's."""
        login = ["-h", self.host, "-p", str(self.port), "-U", OWNER, "--no-sync"]
        self._run("pg_basebackup", "-D", str(folder), "-X", "none", "-c", "fast", *login)

    def promote(self) -> None:
        """Make a replica the writer, and wait until it is."""
        query(self.owner, "SELECT pg_promote(wait_seconds => 60)")


class PgBouncer:
    """A PgBouncer with a given configuration.

    Args:
        folder: Folder with its files.
        ini: Text of pgbouncer.ini.
        port: The port that it names.
        watch_seconds: Started as a pod starts it, with a look at the file of users that often; none: by itself.
    """

    def __init__(self, folder: Path, *, ini: str, port: int, watch_seconds: float | None = None) -> None:
        self.port = port
        path = folder / "pgbouncer.ini"
        path.write_text(ini)
        user = unprivileged()
        if user is not None:
            for one in (folder, *folder.iterdir()):
                os.chown(one, user, -1)
        pgbouncer = program("pgbouncer", package="pgbouncer")
        command = [pgbouncer, str(path)]
        if watch_seconds is not None:
            userlist = str(folder / "userlist.txt")
            command = [
                "/bin/sh",
                "-c",
                start_script(ini=str(path), userlist=userlist, watch_seconds=watch_seconds),
            ]
        self.log = folder / "pgbouncer.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                # As many files as a container has: one a connection.
                ["prlimit", "--nofile=16384", *command],
                user=user,
                env={**os.environ, "PATH": f"{Path(pgbouncer).parent}{os.pathsep}{os.environ['PATH']}"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=processes.die_with_parent,  # noqa: PLW1509 - it makes one system call
            )
        until(self._answers, what="PgBouncer's start")

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"PgBouncer ended:\n{self.log.read_text()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def leave(self) -> None:
        """Safe shutdown, as a leaving pod does it."""
        self.process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=30)
