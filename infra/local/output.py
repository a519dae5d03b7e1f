"""Reading both output streams of a process as they come."""

import queue
import subprocess
import threading
from collections.abc import Iterator
from typing import IO, Literal

Stream = Literal["stdout", "stderr"]


def lines_of(process: subprocess.Popen[bytes]) -> Iterator[tuple[Stream, bytes]]:
    """Yield the lines that a process prints, until it has closed both streams."""
    lines: queue.SimpleQueue[tuple[Stream, bytes]] = queue.SimpleQueue()

    def read(name: Stream, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            lines.put((name, line))
        lines.put((name, b""))

    remaining = 0
    streams: tuple[tuple[Stream, IO[bytes] | None], ...] = (
        ("stdout", process.stdout),
        ("stderr", process.stderr),
    )
    for name, stream in streams:
        if stream is not None:
            threading.Thread(target=read, args=(name, stream), daemon=True).start()
            remaining += 1
    while remaining:
        name, line = lines.get()
        if line:
            yield name, line
        else:
            remaining -= 1
