"""`bin/setup` and `make` say what is missing and what to do, and never leave half an environment that looks whole."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

# Stands for Python: makes an "environment" whose pip does as the test says.
PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) exit 0 ;;
  --version) echo "Python 3.12.0" ;;
  *ensurepip*) [ -z "${NO_VENV:-}" ] ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip --version") exit 0 ;;
  *"-m pip install"*) echo "Collecting one==1"; echo "$PIP_SAYS"; exit "${PIP_CODE:-0}" ;;
esac
"""


class Clone:
    """A copy of what set-up needs, on a machine with hardly a program."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone"
        self.programs = folder / "programs"
        (self.root / "bin").mkdir(parents=True)
        shutil.copy(REPOSITORY / "bin" / "setup", self.root / "bin")
        (self.root / "requirements.lock").write_text("one==1 --hash=sha256:00\n")
        self.programs.mkdir()
        for name in ("sh", "cat", "cmp", "cp", "mv", "rm", "mkdir", "grep", "sed", "head", "sleep"):
            found = shutil.which(name)
            assert found is not None
            (self.programs / name).symlink_to(found)

    def add_python(self, text: str = PYTHON) -> None:
        path = self.programs / "python3"
        path.write_text(text)
        path.chmod(0o755)

    def setup(self, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self.root / "bin" / "setup"), *args],
            env={"PATH": str(self.programs), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> "subprocess.Popen[str]":
        env = {"PATH": str(self.programs)}
        return subprocess.Popen(
            [str(self.root / "bin" / "setup")], env=env, stderr=subprocess.PIPE, text=True
        )

    @property
    def is_complete(self) -> bool:
        return (self.root / ".venv" / ".installed.lock").exists()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_set_up_is_done_once_and_again_when_the_lock_changes(clone: Clone) -> None:
    clone.add_python()
    assert "installing 1 pinned packages" in clone.setup().stderr
    assert clone.is_complete
    assert "nothing to do" in clone.setup().stderr
    assert clone.setup("--if-needed").stderr == ""
    (clone.root / "requirements.lock").write_text("one==2\ntwo==1\n")
    assert "installing 2 pinned packages" in clone.setup("--if-needed").stderr


def test_no_python_is_a_clear_answer(clone: Clone) -> None:
    done = clone.setup()
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "no python3 on PATH" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_an_old_python_is_named(clone: Clone) -> None:
    clone.add_python('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.8.1" && exit 0\nexit 1\n')
    assert "found: Python 3.8.1" in clone.setup().stderr


def test_a_python_without_venv_is_named(clone: Clone) -> None:
    clone.add_python()
    done = clone.setup(NO_VENV="1")
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not clone.is_complete


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (
            "Error('<x at 0>: Temporary failure in name resolution')': /simple/one/",
            "failure in name resolution",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "DO NOT MATCH THE HASHES"),
    ],
)
def test_a_failed_installation_says_why_and_is_resumed(clone: Clone, says: str, told: str) -> None:
    clone.add_python()
    done = clone.setup(PIP_CODE="1", PIP_SAYS=says)
    assert done.returncode == 1
    assert told in done.stderr
    assert not clone.is_complete
    assert clone.setup().returncode == 0
    assert clone.is_complete


def test_an_environment_whose_python_is_gone_is_made_anew(clone: Clone) -> None:
    clone.add_python()
    clone.setup()
    (clone.root / ".venv" / "bin" / "python").unlink()
    assert "making .venv" in clone.setup("--if-needed").stderr
    assert (clone.root / ".venv" / "bin" / "python").exists()


def test_a_package_manager_that_outlived_its_set_up_is_waited_for(clone: Clone) -> None:
    clone.add_python()
    mutex = clone.root / ".venv.lock"
    mutex.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as pip:
        (mutex / "pid").write_text(str(pip.pid))
        waiting = clone.start()
        assert waiting.stderr is not None
        assert "waiting for it" in waiting.stderr.readline()
        assert not clone.is_complete
        pip.kill()
        pip.wait()
        waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert clone.is_complete


def test_the_mark_of_a_killed_set_up_is_no_obstacle(clone: Clone) -> None:
    clone.add_python()
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    mutex = clone.root / ".venv.lock"
    mutex.mkdir()
    (mutex / "pid").write_text(str(gone.pid))
    assert clone.setup().returncode == 0
    assert not mutex.exists()


def make(*args: str) -> "subprocess.CompletedProcess[str]":
    """Run make as from a shell, also when these tests were started by make themselves."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "STACK"))
    }
    return subprocess.run(
        ["make", *args], cwd=REPOSITORY, capture_output=True, text=True, check=False, env=env
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_without_a_stack_lists_the_stacks() -> None:
    done = make("preview")
    assert done.returncode != 0
    assert "STACK is not set" in done.stderr
    for stack in REPOSITORY.glob("Pulumi.*.yaml"):
        assert stack.name.removeprefix("Pulumi.").removesuffix(".yaml") in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_lists_every_target() -> None:
    shown = make().stdout
    targets = re.findall(r"(?m)^([a-z][a-z-]*):", (REPOSITORY / "Makefile").read_text())
    listed = set(re.findall(r"(?m)^  ([a-z][a-z-]*) ", shown))
    assert set(targets) - listed == {"need-venv", "need-stack"}
