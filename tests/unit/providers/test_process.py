"""The process the stand-ins run in: how it starts, and that it never outlives who started it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.providers.store import FILE

REPOSITORY = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "infra.local.providers"]


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--state-dir", str(folder), *more],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PULUMI_CONFIG_PASSPHRASE": "x"},
    )


def ports(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in found.read_text(encoding="utf-8").split()] if found.exists() else []


def wait_gone(process: int) -> bool:
    """Wait for a process that is not ours to reap, by a descriptor that becomes readable when it ends."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 20)[0])
    finally:
        os.close(descriptor)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    started = start(tmp_path)
    yield started
    started.kill()
    started.communicate()


def test_it_says_its_ports_and_ends_with_its_standard_input(process: subprocess.Popen[str]) -> None:
    found = ports(process)
    assert set(found) == {"aws", "kubernetes", "random", "eks"}
    assert len(set(found.values())) == 4
    below = children(process.pid)
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    assert process.wait(timeout=20) == 0
    assert all(wait_gone(child) for child in below)


def test_it_ends_on_sigterm_but_not_on_an_interrupt(process: subprocess.Popen[str]) -> None:
    ports(process)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_its_child_does_not_outlive_it_when_it_is_killed(process: subprocess.Popen[str]) -> None:
    ports(process)
    below = children(process.pid)
    process.kill()
    process.wait()
    assert all(wait_gone(child) for child in below)


def test_it_ends_when_the_process_it_was_told_to_watch_is_gone(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = start(tmp_path, "--parent-pid", str(parent.pid))
    ports(process)
    parent.communicate(b"\n")
    assert process.wait(timeout=20) == 0
    process.communicate()


def test_a_damaged_store_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database")
    process = start(tmp_path)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert output == ""
    assert "move it away and run `refresh`" in errors
    assert "Traceback" not in errors


def test_a_wrong_fault_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_LOCAL_FAULTS", "explode:x")
    process = start(tmp_path)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "ACTION:REGEX" in errors
    assert "Traceback" not in errors
