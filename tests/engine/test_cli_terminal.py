"""The command line in a terminal: the engine asks, Ctrl-C reaches it once, Ctrl-Z and `fg` stop and continue it."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.mini import REPOSITORY, Mini

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

CTRL_C, CTRL_Z = b"\x03", b"\x1a"


class Terminal:
    """A shell with job control in a pseudo-terminal."""

    def __init__(self, mini: Mini) -> None:
        self.shown = ""
        self.descriptor, theirs = pty.openpty()
        # The engine never asks where it thinks that nobody is there.
        env = {name: value for name, value in mini.env.items() if name != "CI"}
        env |= {"PS1": "shell> ", "TERM": "xterm", "PATH": f"{REPOSITORY}/bin:{mini.env['PATH']}"}
        # `setsid --ctty` makes the pseudo-terminal the shell's own, without which there is no job control.
        self.shell = subprocess.Popen(
            ["setsid", "--ctty", "--wait", "bash", "--norc", "--noprofile", "-i"],
            cwd=mini.root,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def read_until(self, text: str, *, seconds: float = 120) -> str:
        """Read on until a text is shown, and give what was shown since the last reading."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            ready, _, _ = select.select([self.descriptor], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} is not shown: {self.shown!r}"
            self.shown += os.read(self.descriptor, 65536).decode(errors="replace")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def close(self) -> None:
        """Close the window."""
        os.close(self.descriptor)
        self.shell.wait(timeout=60)


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    mini = Mini.create(tmp_path / "project")
    mini.configure(slow="3", seconds="2")
    return mini


@pytest.fixture
def terminal(mini: Mini) -> Iterator[Terminal]:
    terminal = Terminal(mini)
    terminal.read_until("shell> ")
    yield terminal
    terminal.close()


def test_ctrl_c_cancels_once_and_the_shell_goes_on(mini: Mini, terminal: Terminal) -> None:
    terminal.type(b"pulumi-local up --yes --stack dev; echo code $?\n")
    terminal.read_until("code $?")
    mini.wait_until_creating()
    terminal.type(CTRL_C)
    shown = terminal.read_until("code ")
    terminal.read_until("shell> ")
    assert "cancelling" in shown
    assert "received; terminating" not in shown
    assert "Traceback" not in shown
    terminal.type(b"echo still $((20 + 1))\n")
    terminal.read_until("still 21")
    terminal.type(b"exit\n")
    mini.wait_until_gone()


def test_the_engine_asks_and_takes_the_answer(mini: Mini, terminal: Terminal) -> None:
    terminal.type(b"pulumi-local up --stack dev; echo code $?\n")
    terminal.read_until("code $?")
    terminal.read_until("Do you want to perform this update?")
    terminal.type(b"no\r")
    shown = terminal.read_until("shell> ")
    assert "declined" in shown
    assert "code 0" not in shown
    assert "Stopped" not in shown
    assert not list(mini.records.glob("slow-*.json"))


def test_a_stopped_run_continues_in_the_foreground(mini: Mini, terminal: Terminal) -> None:
    terminal.type(b"pulumi-local up --yes --stack dev\n")
    mini.wait_until_creating()
    terminal.type(CTRL_Z)
    terminal.read_until("Stopped")
    terminal.read_until("shell> ")
    terminal.type(b"fg; echo code $?\n")
    terminal.read_until("code $?")
    assert "created" in terminal.read_until("code 0")


def test_a_closed_terminal_leaves_nothing(mini: Mini) -> None:
    terminal = Terminal(mini)
    terminal.type(b"pulumi-local up --yes --stack dev\n")
    mini.wait_until_creating()
    terminal.close()
    mini.wait_until_gone()
    mini.ok("up", "--yes", "--stack", "dev")
    mini.ok("preview", "--stack", "dev", "--expect-no-changes")
