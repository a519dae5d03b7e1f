"""One run at a time per stack, and locks that a killed run left behind."""

import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from infra.local.errors import LocalError, say
from infra.local.home import Home

_PATIENCE = 2.0
"""Seconds to wait for a run that is about to end."""


@contextmanager
def guard(*, home: Home, stack: str, command: str) -> Generator[None]:
    """Hold a stack for this run; the kernel lets go of it when this process ends, however it ends."""
    with (home.guards / f"{stack}.lock").open("a+", encoding="utf-8") as file:
        if not _flock(file, patience=_PATIENCE):
            file.seek(0)
            raise _held(stack=stack, holder=_holder(file.read()))
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat()}, file)
        file.flush()
        yield


@contextmanager
def guard_if_free(*, home: Home, stack: str) -> Generator[bool]:
    """Hold a stack for a moment if no run is working on it; says whether it is held."""
    with (home.guards / f"{stack}.lock").open("a+", encoding="utf-8") as file:
        yield _flock(file, patience=0)


@contextmanager
def making(*, home: Home, stack: str) -> Generator[None]:
    """Let one run make a stack while others that need it wait."""
    with (home.guards / f"{stack}.making").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_stale(*, home: Home, project: str, stack: str) -> None:
    """Remove the engine's locks of dead processes; a live one is an error that names it."""
    folder = home.backend / ".pulumi" / "locks" / "organization" / project / stack
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        lock = _read_lock(path)
        pid, host = lock.get("pid"), lock.get("hostname")
        if isinstance(host, str) and host != socket.gethostname():
            raise LocalError(
                f"stack '{stack}' is locked by a run on another machine.\n"
                f"  found: {path}: process {pid} on {host}\n"
                f"  to do: wait for it, or if it is gone: bin/pulumi-local cancel --yes --stack {stack}",
            )
        if isinstance(pid, int) and _is_engine(pid, patience=_PATIENCE):
            raise _held(stack=stack, holder=f"process {pid}")
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
        say(f"removed the lock that a killed run (process {pid or 'unknown'}) left on stack '{stack}'")


def _flock(file: IO[str], *, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _held(*, stack: str, holder: str) -> LocalError:
    return LocalError(
        f"stack '{stack}' is in use.\n  found: {holder} is working on it\n"
        "  needed: one run at a time per stack\n"
        "  to do: wait for it, or stop it in order with `kill -INT` and its number, then run this again",
    )


def _holder(text: str) -> str:
    try:
        record = cast("dict[str, object]", json.loads(text))
        return f"process {record['pid']} (`{record['command']}`, since {record['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _read_lock(path: Path) -> dict[str, object]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", content) if isinstance(content, dict) else {}


def _is_engine(pid: int, *, patience: float) -> bool:
    """Whether a process lives and is an engine; its number may have gone to another program since."""
    deadline = time.monotonic() + patience
    while (name := _process_name(pid)) and "pulumi" in name:
        if time.monotonic() >= deadline:
            return True
        time.sleep(0.05)
    return False


def _process_name(pid: int) -> str:
    """The program that a living process runs, or nothing."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        name, _, rest = status.read_text(encoding="utf-8").partition(") ")
        return "" if rest.startswith("Z") else name.partition("(")[2]
    # The lists of processes of other systems than Linux.
    shown = subprocess.run(
        ["ps", "-p", str(pid), "-o", "comm="],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip()
