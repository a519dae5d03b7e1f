"""What was done, line by line and safe on disk: the audit, and where a killed run goes on."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

from infra import redaction
from infra.ops.errors import OpsError


@dataclass
class Journal:
    """One run of an operation: a file of JSON lines, each written whole before the next step begins.

    Attributes:
        path: The file; one for each run.
        facts: What the run learned that cannot be learned again, by name.
        done: Names of the steps that are done.
        resumed: Whether an earlier, unfinished run is carried on.
    """

    path: Path
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    done: dict[str, float] = field(default_factory=dict[str, float])
    resumed: bool = False

    @property
    def run(self) -> str:
        """Name of the run, for names of what it makes."""
        return self.path.stem.rpartition("-")[2]

    @classmethod
    def open(cls, folder: Path, *, operation: str, subject: str) -> Self:
        """The unfinished run of an operation on a subject, or a new one.

        Args:
            folder: Folder of all journals.
            operation: e.g. `failover`.
            subject: What it is done to, e.g. `prod-eu-west-1`; another subject is another run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob(f"{operation}-{subject}-*.jsonl")):
            journal = cls(path=path, resumed=True)
            if not journal._replay():
                return journal
        run = secrets.token_hex(4)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        return cls(path=folder / f"{operation}-{subject}-{stamp}-{run}.jsonl")

    def _replay(self) -> bool:
        """Read what is there; says whether the run ended."""
        ended = False
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = cast("dict[str, Any]", json.loads(line))
            except ValueError:
                continue  # the line that a kill cut short; its step is done again
            if entry["event"] == "fact":
                self.facts[entry["name"]] = entry["value"]
            elif entry["event"] == "done":
                self.done[entry["step"]] = entry["seconds"]
            ended = entry["event"] == "ended"
        return ended

    def write(self, event: str, **details: Any) -> None:
        """Write a line, without what looks like a credential, and see it to the disk."""
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": getpass.getuser(),
            "pid": os.getpid(),
            "event": event,
            **details,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(redaction.plain(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def remember(self, name: str, value: Any) -> Any:
        """Keep a fact, or give back the one that this run kept before."""
        if name not in self.facts:
            self.write("fact", name=name, value=value)
            self.facts[name] = value
        return self.facts[name]


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Hold the folder of journals, so that one operation runs at a time; the kernel lets go when a process ends.

    Raises:
        OpsError: When another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OpsError(
                f"another operation runs already\n  found: {folder / 'lock'} is held\n  to do: wait until it ends"
            ) from None
        yield
