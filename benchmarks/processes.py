"""Runs a command and measures it and everything it starts: time, processor time, memory by kind of process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.1
_KINDS = (
    ("language_program.py", "program"),
    ("infra.local.providers.eks", "stand-in for eks"),
    ("infra.local.providers", "stand-ins"),
    ("infra/local/__main__.py", "wrapper"),
    ("language_host.py", "language host"),
)
_ENGINE = "engine"


class CommandFailedError(Exception):
    """A measured command failed; its times would mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one command cost.

    Attributes:
        seconds: Wall time.
        cpu_seconds: Processor time of all its processes, user and system.
        peak_mib: Peak resident memory of the largest process of each kind; empty where there is no /proc.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: Mapping[str, float] = field(default_factory=dict[str, float])


def measure(command: Sequence[str], *, env: Mapping[str, str], log: Path) -> Measurement:
    """Run a command to its end.

    Args:
        command: Program and arguments, run in the repository.
        env: Its whole environment.
        log: File that takes what it prints.

    Raises:
        CommandFailedError: When it ends with another code than 0.
    """
    before = _cpu_of_children()
    peaks: dict[str, float] = {}
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        while process.poll() is None:
            if sys.platform == "linux":
                _note_peaks(process.pid, peaks)
            time.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise CommandFailedError(f"{' '.join(command)} ended with code {process.returncode}:\n{tail}")
    return Measurement(seconds=seconds, cpu_seconds=_cpu_of_children() - before, peak_mib=peaks)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _note_peaks(root: int, peaks: dict[str, float]) -> None:
    """Note the kernel's own high-water mark of every process below one."""
    for pid in _tree(root):
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        mark = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
        kind = _kind(command)
        if mark is not None and kind is not None:
            peaks[kind] = max(peaks.get(kind, 0.0), int(mark.split()[1]) / 1024)


def _kind(command: str) -> str | None:
    for part, kind in _KINDS:
        if part in command:
            return kind
    return _ENGINE if Path(command.split(" ", 1)[0]).name == "pulumi" else None


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parent = int(status.rpartition(") ")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def environment(*, home: Path, project: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of a run with a state folder of its own.

    Args:
        home: The state folder of the local platform.
        project: Another project than the repository's.
        **more: Further variables.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    engine = {name: os.environ[name] for name in ("PULUMI_LOCAL_ENGINE",) if name in os.environ}
    own = {"PULUMI_LOCAL_HOME": str(home), "PULUMI_LOCAL_PYTHON": sys.executable}
    if project is not None:
        own["PULUMI_LOCAL_PROJECT"] = str(project)
    return kept | engine | own | more
