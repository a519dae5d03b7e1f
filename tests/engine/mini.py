"""A tiny project in a folder of its own, driven through the command line with the real engine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

PROGRAM = """
import os
import pulumi


class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("mini:index:Thing", name, {}, None)
        self.register_outputs({"name": name})


class Slow(pulumi.CustomResource):
    def __init__(self, name, seconds, opts):
        super().__init__("random:index/slow:Slow", name, {"seconds": seconds}, opts)


config = pulumi.Config()
for index in range(config.require_int("things")):
    Thing(f"thing-{index}")
last = []
for index in range(config.get_int("slow") or 0):
    last = [Slow(f"slow-{index}", config.require_float("seconds"), pulumi.ResourceOptions(depends_on=last))]
print("printed by the program")
match config.get("fail"):
    case "run":
        raise pulumi.RunError("mini:fail is 'run': unset it")
    case "raise":
        raise ValueError("boom")
    case "exit":
        raise SystemExit(7)
    case _:
        pass
pulumi.export("greeting", config.require("greeting"))
pulumi.export("where", os.getcwd())
pulumi.export("accounts", sorted(name for name in os.environ if name.startswith("AWS_")))
pulumi.export("password", config.get_secret("password"))
"""

SETTINGS = """# Settings of a stack.
config:
  mini:things: "3"

  # How it greets.
  mini:greeting: hello
"""

PROJECT = """name: mini
description: A program for tests
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
main: .
"""


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting until {what}"
        time.sleep(0.02)


@dataclass(kw_only=True)
class Mini:
    root: Path

    @classmethod
    def create(cls, root: Path) -> "Mini":
        files = {
            "__main__.py": PROGRAM,
            "Pulumi.yaml": PROJECT,
            "Pulumi.dev.yaml": SETTINGS,
            "Pulumi.prod.yaml": SETTINGS,
            ".gitignore": "/.pulumi-local/\n",
        }
        root.mkdir(parents=True)
        for name, text in files.items():
            (root / name).write_text(text)
        mini = cls(root=root)
        mini.git("init", "--quiet", ".")
        mini.git("add", ".")
        mini.git(
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@localhost",
            "commit",
            "--quiet",
            "--message",
            "start",
        )
        return mini

    @property
    def home(self) -> Path:
        return self.root / ".pulumi-local"

    @property
    def records(self) -> Path:
        """What the slow provider has created."""
        return self.home / "providers"

    def checkpoint(self, stack: str = "dev") -> Path:
        return self.home / "backend" / ".pulumi" / "stacks" / "mini" / f"{stack}.json"

    def locks(self, stack: str = "dev") -> Path:
        return self.home / "backend" / ".pulumi" / "locks" / "organization" / "mini" / stack

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
        engine = {name: os.environ[name] for name in ("PULUMI_LOCAL_ENGINE",) if name in os.environ}
        return (
            kept
            | engine
            | {
                "PULUMI_LOCAL_PROJECT": str(self.root),
                "PULUMI_LOCAL_HOME": str(self.home),
                "PULUMI_LOCAL_PROVIDERS": str(REPOSITORY / "tests" / "engine" / "slow_provider.py"),
                "PULUMI_LOCAL_PYTHON": sys.executable,
            }
        )

    def start(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(REPOSITORY / "bin" / "pulumi-local"), *args],
            cwd=cwd or self.root,
            env=self.env | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        with self.start(*args, cwd=cwd, env=env) as process:
            stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(args, process.returncode, stdout, stderr)

    def ok(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        done = self.run(*args, cwd=cwd, env=env)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run what must fail, and give what it says on standard error; no traceback is ever right there."""
        done = self.run(*args, env=env)
        assert done.returncode != 0, f"{args} should have failed\n{done.stdout}"
        assert "Traceback" not in done.stderr
        return done.stderr

    def git(self, *args: str) -> str:
        return subprocess.run(
            ["git", *args], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout

    def configure(self, stack: str = "dev", **settings: str) -> None:
        """Write settings into a stack file, as a person would with an editor."""
        path = self.root / f"Pulumi.{stack}.yaml"
        named = tuple(f"  mini:{key}:" for key in settings)
        kept = [line for line in path.read_text().splitlines() if not line.startswith(named)]
        path.write_text(
            "\n".join([*kept, *(f'  mini:{key}: "{value}"' for key, value in settings.items()), ""])
        )

    def resources(self, stack: str = "dev") -> list[str]:
        state: dict[str, Any] = json.loads(self.ok("stack", "export", "--stack", stack))
        return [resource["urn"].rpartition("::")[2] for resource in state["deployment"].get("resources", [])]

    def pending(self, stack: str = "dev") -> int:
        state: dict[str, Any] = json.loads(self.checkpoint(stack).read_text())
        return len(state["checkpoint"]["latest"].get("pending_operations") or [])

    def processes(self) -> list[int]:
        """Every living process that was started for this project."""
        return processes_of(self.home)

    def wait_until_creating(self) -> None:
        wait_until((self.records / "creating").exists, what="a resource is being created")

    def wait_until_gone(self) -> None:
        wait_until(lambda: not self.processes(), what="no process is left", seconds=20)


def processes_of(home: Path) -> list[int]:
    """Every living process whose environment names a folder of the local platform."""
    mark = f"PULUMI_LOCAL_HOME={home}".encode()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def kill_group(process: "subprocess.Popen[str]", signum: signal.Signals) -> None:
    os.killpg(process.pid, signum)
