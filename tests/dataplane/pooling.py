"""Poolers with the rendered configuration, and clients that remember what they were told."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from infra.data.pgbouncer import Pool, PoolerFiles, TlsMode, render
from infra.model.stack import ConnectionPoolSettings
from tests.dataplane.servers import Address, PgBouncer, free_port, program, psql

WRITE = "INSERT INTO book VALUES"


def version() -> tuple[int, int]:
    """Version of the installed PgBouncer."""
    said = subprocess.run(
        [program("pgbouncer", package="pgbouncer"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert match, said
    return int(match[1]), int(match[2])


def start_pooler(
    folder: Path,
    pools: Sequence[Pool],
    *,
    settings: ConnectionPoolSettings,
    passwords: Mapping[str, str],
    changes: Mapping[str, object] | None = None,
    watch_seconds: float | None = None,
) -> PgBouncer:
    """A PgBouncer with the rendered configuration.

    Args:
        folder: An empty folder.
        pools: The databases offered.
        settings: Connections and time limits.
        passwords: Password of each user.
        changes: Lines that differ from what is rendered, such as times that a test scales down; new ones are added.
        watch_seconds: Started as a pod starts it, with a look at the file of users that often; none: by itself.
    """
    port, userlist = free_port(), folder / "userlist.txt"
    write_userlist(userlist, passwords)
    ini = render(
        pools,
        settings=settings,
        version=version(),
        files=PoolerFiles(userlist=str(userlist), listen_address="127.0.0.1", port=port, tls=TlsMode.DISABLE),
    )
    for key, value in (changes or {}).items():
        ini, replaced = re.subn(rf"^{key} = .*$", f"{key} = {value}", ini, flags=re.MULTILINE)
        ini += "" if replaced else f"{key} = {value}\n"
    return PgBouncer(folder, ini=ini, port=port, watch_seconds=watch_seconds)


def write_userlist(path: Path, passwords: Mapping[str, str]) -> None:
    """Write PgBouncer's file of users, as the rendered template does; like the kubelet, as another file in its place.

    PgBouncer knows a file by its inode, size and full second: each is a second newer, as at the kubelet's pace it is.
    """
    new = path.with_suffix(".new")
    new.write_text("".join(f'"{user}" "{word}"\n' for user, word in sorted(passwords.items())))
    if path.exists():
        newer = int(path.stat().st_mtime) + 1
        os.utime(new, (newer, newer))
    new.rename(path)


class Bookkeeper:
    """Clients that write numbers, and keep those whose commit they were told of.

    Args:
        address: Where they write.
    """

    def __init__(self, address: Address) -> None:
        self._address, self._stop = address, threading.Event()
        self.acknowledged: list[int] = []
        self.times: list[float] = []
        self.failures = 0
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        value = number * 1_000_000
        while not self._stop.is_set():
            value += 1
            done = psql(self._address, "-c", f"{WRITE} ({value}) RETURNING value", check=False)
            if done.returncode == 0:
                self.acknowledged.append(int(done.stdout))
                self.times.append(time.monotonic())
            else:
                self.failures += 1

    @property
    def gap(self) -> float:
        """The longest time without an acknowledged write, in seconds."""
        moments = sorted(self.times)
        return max(later - earlier for earlier, later in itertools.pairwise(moments))
