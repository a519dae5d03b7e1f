"""Finding, starting and stopping the local cloud of a state folder."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from infra.local.cloud.journal import FILE
from infra.local.cloud.server import HEALTH, WHERE
from infra.local.errors import LocalError, say
from infra.local.home import REPOSITORY

LOG: Final = "cloud.log"
_START_SECONDS: Final = 180
_QUIET_SECONDS: Final = 5
_STOP_SECONDS: Final = 10
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A cloud that answers.

    Attributes:
        pid: Its process.
        port: Its port on the loopback interface.
    """

    pid: int
    port: int

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is to be."""
        return f"http://127.0.0.1:{self.port}"


def find(folder: Path) -> Running | None:
    """The cloud of a folder, if it runs and answers."""
    try:
        said = cast("dict[str, int]", json.loads((folder / WHERE).read_text(encoding="utf-8")))
        found = Running(pid=int(said["pid"]), port=int(said["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=30)
    try:
        connection.request("GET", HEALTH)
        # Another program may have the port by now.
        return found if connection.getresponse().read().decode() == str(folder) else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def start(folder: Path, *, log: Path) -> Running:
    """The cloud of a folder, started where it does not run, with all that its journal holds.

    Args:
        folder: Its own, in the state folder.
        log: What it says goes there.

    Raises:
        LocalError: when it does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        found = find(folder)
        if found is not None:
            return found
        (folder / WHERE).unlink(missing_ok=True)
        _launch(folder, log=log)
        return _awaited(folder, log=log)


def _launch(folder: Path, *, log: Path) -> None:
    """Start it as nobody's child: it outlives this run, and nothing that ends this run ends it."""
    command = [sys.executable, "-m", "infra.local.cloud", "serve", "--folder", str(folder), "--log", str(log)]
    subprocess.run(
        command,
        cwd=REPOSITORY,
        # It lives on: nothing of this run's accounts and passphrases is its business.
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )


def _awaited(folder: Path, *, log: Path) -> Running:
    began, told = time.monotonic(), False
    while time.monotonic() - began < _START_SECONDS:
        found = find(folder)
        if found is not None:
            return found
        if log.exists() and (said := log.read_text(encoding="utf-8", errors="replace")).endswith("ended\n"):
            raise _failed(said.removesuffix("ended\n").strip(), log)
        if not told and time.monotonic() - began > _QUIET_SECONDS:
            told = True
            say("the local cloud remembers what it held")
        time.sleep(0.05)
    raise _failed(f"no answer within {_START_SECONDS} s", log)


def _failed(found: str, log: Path) -> LocalError:
    if found.startswith("the journal"):
        return LocalError(found)
    last = found.splitlines()[-1] if found else "it said nothing"
    return LocalError(
        f"the local cloud did not start.\n  found: {last}\n"
        f"  to do: see {log}; PULUMI_LOCAL_CLOUD=off runs without it, on the stand-ins' own records"
    )


def stop(folder: Path) -> bool:
    """Stop the cloud of a folder; what it holds stays in its journal. Says whether it ran."""
    found = find(folder)
    if found is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        # Its sign goes last. A process that has ended may stay visible until somebody takes note of it.
        while time.monotonic() < deadline and (folder / WHERE).exists():
            os.kill(found.pid, 0)
            time.sleep(0.02)
        os.kill(found.pid, signal.SIGKILL)
    (folder / WHERE).unlink(missing_ok=True)
    return True


def forget(folder: Path) -> None:
    """Stop the cloud and drop all that it held."""
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def exists(folder: Path) -> bool:
    """Whether there is a cloud here, running or not."""
    return (folder / FILE).exists()


@contextmanager
def _only_one(folder: Path) -> Generator[None]:
    with (folder / "start.lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
