"""Servers that belong to this process: started with a log, stopped in order, gone when it is gone."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from infra.local import processes

_PATIENCE = 5.0


class Child:
    """A running server.

    It dies with the thread that started it (the kernel's rule on Linux), so start it from one that lasts.

    Args:
        name: Its name, and the stem of its log.
        command: Program and arguments.
        logs: Folder for its log.
        environ: Its whole environment.
    """

    def __init__(
        self, name: str, *, command: Sequence[str], logs: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A group of its own: Ctrl-C is this process's to handle.
                process_group=0,
                preexec_fn=processes.die_with_parent,  # noqa: PLW1509 - it makes one system call
            )

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    def last_words(self, *, lines: int = 8) -> str:
        """The end of its log."""
        with suppress(OSError):
            said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return "\n".join(said[-lines:])
        return ""

    def stop(self, *, patience: float = _PATIENCE) -> None:
        """Ask it to end, and make it after a while."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now; a server must cope with losing one to another."""
    with ExitStack() as held:
        ports: list[int] = []
        for _ in range(count):
            taken = held.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 0))
            ports.append(taken.getsockname()[1])
    return ports
