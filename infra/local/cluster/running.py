"""Clusters that go on running after the command that started them: one a stack, in the state folder."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from infra.local import processes
from infra.local.cluster.client import Access
from infra.local.errors import LocalError
from infra.local.files import write_atomically
from infra.local.home import REPOSITORY

_START_SECONDS = 300.0
_STOP_SECONDS = 30.0
_PAUSE = 0.05


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folder of a stack's cluster.

    Attributes:
        root: The folder of all clusters.
        stack: The stack.
    """

    root: Path
    stack: str

    @property
    def folder(self) -> Path:
        """Where its keys, data and logs are."""
        return self.root / self.stack

    @property
    def record(self) -> Path:
        """Says how to reach it; there only while it is ready."""
        return self.folder / "cluster.json"

    @property
    def log(self) -> Path:
        """What the process that holds it says."""
        return self.folder / "cluster.log"

    @property
    def _lock(self) -> Path:
        return self.folder / "cluster.lock"

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the place for this process; the kernel lets go when the process ends, however it ends."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.open("w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LocalError(
                    f"the cluster of stack '{self.stack}' runs already.\n"
                    f"  to do: python -m infra.local.cluster down --stack {self.stack}"
                ) from error
            self.record.unlink(missing_ok=True)
            yield
            self.record.unlink(missing_ok=True)

    def is_held(self) -> bool:
        """Whether a process holds it."""
        try:
            with self._lock.open("r", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def publish(self, access: Access, *, nodes: int) -> None:
        """Say that it is ready, and how to reach it."""
        content = {
            "pid": os.getpid(),
            "host": access.host,
            "port": access.port,
            "ca": str(access.ca),
            "token": access.token,
            "nodes": nodes,
        }
        write_atomically(self.record, json.dumps(content))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A cluster that is ready.

    Attributes:
        stack: Its stack.
        pid: The process that holds it.
        access: How to reach it as the administrator.
        nodes: Nodes it was started with.
    """

    stack: str
    pid: int
    access: Access
    nodes: int


def find(place: Place) -> Running | None:
    """The cluster of a stack, None where none is ready."""
    try:
        content = cast("dict[str, object]", json.loads(place.record.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    if not place.is_held():
        return None
    access = Access(
        host=str(content["host"]),
        port=int(str(content["port"])),
        ca=Path(str(content["ca"])),
        token=str(content["token"]),
    )
    return Running(
        stack=place.stack, pid=int(str(content["pid"])), access=access, nodes=int(str(content["nodes"]))
    )


def find_all(root: Path) -> list[Running]:
    """All clusters that are ready."""
    places = [Place(root=root, stack=folder.name) for folder in sorted(root.glob("*")) if folder.is_dir()]
    return [found for found in map(find, places) if found is not None]


def start(place: Place, *, arguments: list[str]) -> Running:
    """Start the process that holds a cluster, and return when it is ready.

    Args:
        place: Where.
        arguments: Of `python -m infra.local.cluster serve`.

    Raises:
        LocalError: It did not get ready.
    """
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with place.log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.cluster", "serve", *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    found: Running | None = None
    try:
        _wait(lambda: find(place) is not None or process.poll() is not None, seconds=_START_SECONDS)
        found = find(place)
    finally:
        if found is None:
            with processes.ended(process, patience=_STOP_SECONDS):
                pass
    if found is None:
        raise _failed(place)
    return found


def stop(place: Place) -> bool:
    """Stop a cluster and wait until it is gone; says whether there was one."""
    found = find(place)
    if found is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    if not _wait(lambda: not place.is_held(), seconds=_STOP_SECONDS):
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
        _wait(lambda: not place.is_held(), seconds=_STOP_SECONDS)
    return True


def _wait(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _failed(place: Place) -> LocalError:
    said = place.log.read_text(encoding="utf-8", errors="replace").splitlines()
    shown = "\n    ".join(said[-8:]) or "(nothing)"
    return LocalError(
        f"the cluster of stack '{place.stack}' did not start.\n  found: {shown}\n  to do: see {place.folder}"
    )
