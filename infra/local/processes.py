"""Running the engine so that signals reach it in order and nothing outlives the run."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALS_BEFORE_FORCE = 2
"""The engine cancels at the first signal and gives up waiting at the second; the next ends everything."""

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_engine(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: int | None = None
) -> int:
    """Run the engine in the foreground.

    The engine gets a process group of its own. So Ctrl-C in a terminal reaches it once, straight from the terminal,
    and a signal sent to this process or its group reaches it once, passed on.

    Returns:
        Its exit code; 128 plus the number of the signal that killed it.
    """
    _adopt_orphans()
    terminal = _own_terminal()
    previous = {number: signal.getsignal(number) for number in _FORWARDED}
    pid = 0
    early: list[int] = []
    seen = 0

    def forward(signum: int, _frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if not pid:
            early.append(signum)
        elif seen > _SIGNALS_BEFORE_FORCE:
            _kill_group(pid, signal.SIGKILL)
        else:
            # The engine knows nothing of hang-ups; an interrupt makes it cancel in order.
            _kill_group(pid, signal.SIGINT if signum == signal.SIGHUP else signum, only_leader=True)

    for number in _FORWARDED:
        signal.signal(number, forward)
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=None if output is None else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_child_setup(terminal),  # noqa: PLW1509 - this process has no other threads
        )
        pid = process.pid
        for number in early:
            os.kill(pid, number)
        return _wait(process, terminal=terminal)
    finally:
        if terminal is not None:
            _to_foreground(terminal, os.getpgrp())
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_quietly(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a short engine command, and show what it said only if it failed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        sys.stderr.flush()
    return done.returncode


def run_silently(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run the engine as in the foreground, but show nothing of it."""
    return run_engine(command, cwd=cwd, env=env, output=subprocess.DEVNULL)


def end_descendants(*, patience: float = 5.0) -> None:
    """Kill whatever this run has started and that still lives, and wait until it is gone."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for pid in _descendants(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


@contextmanager
def ended(process: subprocess.Popen[bytes], *, patience: float = 5.0) -> Generator[None]:
    """Ask a process to stop at the end of the block, and make it."""
    try:
        yield
    finally:
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _adopt_orphans() -> None:
    """Make orphans of this run's children its own, so that they can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _child_setup(terminal: int | None) -> Callable[[], None]:
    parent = os.getpid()

    def set_up() -> None:
        os.setpgid(0, 0)
        # A closing terminal is reported to this run, which cancels; the engine itself would just die.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent()
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        if terminal is not None:
            _to_foreground(terminal, os.getpgrp())

    return set_up


def _own_terminal() -> int | None:
    """The terminal this run is in the foreground of, if any."""
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                return descriptor
    return None


def _to_foreground(terminal: int, group: int) -> None:
    """Hand the terminal to a process group; asking from the background must not stop the asker."""
    previous = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with suppress(OSError):
        os.tcsetpgrp(terminal, group)
    signal.signal(signal.SIGTTOU, previous)


def _wait(process: subprocess.Popen[bytes], *, terminal: int | None) -> int:
    """Wait for the engine, stopping and going on together with it (Ctrl-Z, fg)."""
    while True:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        if terminal is not None:
            _to_foreground(terminal, os.getpgrp())
        os.kill(os.getpid(), signal.SIGSTOP)
        if terminal is not None:
            _to_foreground(terminal, process.pid)
        _kill_group(process.pid, signal.SIGCONT)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    return code if code >= 0 else 128 - code


def _kill_group(pid: int, signum: int, *, only_leader: bool = False) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid if only_leader else -pid, signum)


def _descendants(root: int) -> list[int]:
    """All processes below one, the deepest last."""
    children: dict[int, list[int]] = {}
    for pid, parent in _process_table():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _process_table() -> Iterator[tuple[int, int]]:
    """Each process with its parent."""
    if not Path("/proc/self/stat").exists():
        command = ["ps", "-axo", "pid=,ppid="]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in shown.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                status = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                # After the program's name: the state, then the parent.
                yield int(entry.name), int(status.rpartition(") ")[2].split()[1])
