"""What is left after a run that was stopped, killed or whose state was damaged: nothing running, nothing lost."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.mini import Mini, kill_group, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

SLOW = 3
SECONDS = "1"


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    mini = Mini.create(tmp_path / "project")
    mini.configure(slow=str(SLOW), seconds=SECONDS)
    return mini


def finish(mini: Mini) -> None:
    """A stopped stack is completed by the next `up`, has nothing to change then, and can be destroyed."""
    mini.ok("up", "--yes", "--stack", "dev")
    assert mini.pending() == 0
    assert f"slow-{SLOW - 1}" in mini.resources()
    assert len(mini.resources()) == len(set(mini.resources()))
    mini.ok("preview", "--stack", "dev", "--expect-no-changes")
    mini.ok("destroy", "--yes", "--stack", "dev")
    assert not list(mini.records.glob("slow-*.json"))


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("target", ["group", "wrapper"])
def test_a_signal_cancels_once_and_leaves_nothing(mini: Mini, signum: signal.Signals, target: str) -> None:
    with mini.start("up", "--yes", "--stack", "dev") as process:
        mini.wait_until_creating()
        if target == "group":
            kill_group(process, signum)
        else:
            process.send_signal(signum)
        code, stdout, stderr = ended(process)
    assert code != 0
    assert "received; cancelling" in stdout
    assert "received; terminating" not in stdout
    assert "Traceback" not in stdout + stderr
    mini.wait_until_gone()
    assert not list(mini.locks().glob("*.json"))
    mini.ok("up", "--yes", "--stack", "dev")
    assert f"slow-{SLOW - 1}" in mini.resources()


def test_more_signals_force_an_end(mini: Mini) -> None:
    with mini.start("up", "--yes", "--stack", "dev") as process:
        mini.wait_until_creating()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
        code, _, _ = ended(process)
    assert code != 0
    mini.wait_until_gone()
    finish(mini)


def test_an_interrupt_before_the_engine_runs_leaves_nothing(mini: Mini, tmp_path: Path) -> None:
    hanging = tmp_path / "hanging.py"
    hanging.write_text(
        "import time\nprint('started', flush=True, file=__import__('sys').stderr)\ntime.sleep(1000)\n"
    )
    log = mini.home / "logs" / "providers.log"
    env = {"PULUMI_LOCAL_PROVIDERS": str(hanging)}
    with mini.start("up", "--yes", "--stack", "dev", env=env) as process:
        wait_until(lambda: log.exists() and "started" in log.read_text(), what="the providers hang")
        process.send_signal(signal.SIGINT)
        code, _, stderr = ended(process)
    assert code == 128 + signal.SIGINT
    assert "interrupted" in stderr
    mini.wait_until_gone()


@pytest.mark.parametrize("target", ["wrapper", "group", "engine"])
def test_a_killed_run_is_recovered_by_the_next(mini: Mini, target: str) -> None:
    with mini.start("up", "--yes", "--stack", "dev") as process:
        mini.wait_until_creating()
        if target == "wrapper":
            process.kill()
        elif target == "group":
            kill_group(process, signal.SIGKILL)
        else:
            os.kill(engine_of(mini), signal.SIGKILL)
        ended(process)
    mini.wait_until_gone()
    assert mini.pending() > 0
    done = mini.run("preview", "--stack", "dev")
    assert done.returncode == 0
    assert "unfinished operation" in done.stderr
    assert "slow-0" in done.stderr
    finish(mini)


def test_runs_killed_at_any_moment_are_recovered(mini: Mini) -> None:
    for moment in (0.3, 1.1, 1.9, 2.8, 4.2):
        with mini.start("up", "--yes", "--stack", "dev") as process:
            try:
                process.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                kill_group(process, signal.SIGKILL)
            ended(process)
        mini.wait_until_gone()
    finish(mini)


def test_the_lock_of_a_killed_engine_is_removed(mini: Mini) -> None:
    mini.ok("preview", "--stack", "dev")
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    write_lock(mini, pid=gone.pid)
    done = mini.run("up", "--yes", "--stack", "dev")
    assert done.returncode == 0
    assert f"killed run (process {gone.pid})" in done.stderr


def test_a_run_in_progress_is_named_and_left_alone(mini: Mini) -> None:
    # Long enough for the others to come while it runs, however busy the machine is.
    mini.configure(seconds="5")
    with mini.start("up", "--yes", "--stack", "dev") as process:
        mini.wait_until_creating()
        stderr = mini.refused("destroy", "--yes", "--stack", "dev")
        preview = mini.run("preview", "--stack", "dev")
        code, _, _ = ended(process)
    assert code == 0
    assert f"process {process.pid} (`up`" in stderr
    assert "kill -INT" in stderr
    assert preview.returncode == 0
    assert "unfinished" not in preview.stderr
    finish(mini)


def test_a_lock_of_another_machine_is_not_judged(mini: Mini) -> None:
    mini.ok("preview", "--stack", "dev")
    write_lock(mini, pid=1, hostname="another-machine")
    stderr = mini.refused("up", "--yes", "--stack", "dev")
    assert "process 1 on another-machine" in stderr
    mini.ok("cancel", "--yes", "--stack", "dev")
    mini.ok("up", "--yes", "--stack", "dev")


@pytest.mark.parametrize("damage", ["half", "empty", "garbage", "zeros"])
def test_a_damaged_state_is_refused_and_can_be_restored(mini: Mini, damage: str) -> None:
    mini.ok("up", "--yes", "--stack", "dev")
    path = mini.checkpoint()
    whole = path.read_bytes()
    broken = {
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "garbage": b"\x89PNG\r\n",
        "zeros": bytes(len(whole)),
    }
    path.write_bytes(broken[damage])
    stderr = mini.refused("preview", "--stack", "dev")
    assert str(path) in stderr
    assert path.read_bytes() == broken[damage]
    to_do = next(line for line in stderr.splitlines() if line.strip().startswith("cp "))
    subprocess.run(shlex.split(to_do), check=True)
    mini.ok("refresh", "--yes", "--stack", "dev")
    mini.ok("preview", "--stack", "dev", "--expect-no-changes")


def test_a_damaged_mirror_is_made_anew(mini: Mini) -> None:
    mini.ok("up", "--yes", "--stack", "dev")
    for path in (mini.home / "project").glob("Pulumi*.yaml"):
        path.write_bytes(b"\xff\xfe: [")
    mini.ok("preview", "--stack", "dev", "--expect-no-changes")
    assert mini.git("diff", "--stat").count("|") == 1


def test_damaged_files_of_the_engine_are_replaced(mini: Mini) -> None:
    mini.ok("stack", "select", "dev")
    for path in (mini.home / "pulumi" / "workspaces").iterdir():
        path.write_text("{")
    (mini.home / "backend" / ".pulumi" / "meta.yaml").write_text("")
    done = mini.run("preview", "--stack", "dev")
    assert done.returncode == 0
    assert "was damaged" in done.stderr


def engine_of(mini: Mini) -> int:
    """The process of the engine among those of a run."""
    for pid in mini.processes():
        if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].endswith(b"/pulumi"):
            return pid
    pytest.fail("no engine is running")


def write_lock(mini: Mini, *, pid: int, hostname: str | None = None) -> None:
    lock = {
        "pid": pid,
        "username": "somebody",
        "hostname": hostname or socket.gethostname(),
        "timestamp": "2024-02-29T12:00:00Z",
    }
    mini.locks().mkdir(parents=True, exist_ok=True)
    (mini.locks() / "00000000-0000-0000-0000-000000000000.json").write_text(json.dumps(lock))
