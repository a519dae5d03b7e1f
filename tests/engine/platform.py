"""The real program in a folder of its own, driven through `bin/pulumi-local` with the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.local.environment import ONE_CHECKPOINT

REPOSITORY = Path(__file__).resolve().parents[2]
_PROGRAM = ("__main__.py", "Pulumi.yaml", "infra", "stacks", "components", "services")
_TIMEOUT_SECONDS = 900


def command_of(root: Path, args: Sequence[str], more: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command that runs `bin/pulumi-local` on the project in `root`, whose state stays there, and its environment.

    Args:
        root: Folder of the project.
        args: Words of the pulumi command.
        more: Environment variables for this run; the caller's own settings are left out.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
    engine = {name: os.environ[name] for name in ("PULUMI_LOCAL_ENGINE",) if name in os.environ}
    local = {
        # A cloud for every project of a few resources would cost more than the tests; who wants one says so.
        "PULUMI_LOCAL_CLOUD": "off",
        "PULUMI_LOCAL_PROJECT": str(root),
        "PULUMI_LOCAL_HOME": str(root / ".pulumi-local"),
        "PULUMI_LOCAL_PYTHON": sys.executable,
    }
    return [str(REPOSITORY / "bin" / "pulumi-local"), *args], {**kept, **engine, **local, **more}


def run_pulumi(
    root: Path, *args: str, more: Mapping[str, str], timeout_seconds: int
) -> subprocess.CompletedProcess[str]:
    """Run `bin/pulumi-local` as `command_of` says.

    Args:
        root: Folder of the project.
        *args: Words of the pulumi command.
        more: Environment variables for this run.
        timeout_seconds: After which the run counts as hanging.
    """
    command, env = command_of(root, args, more)
    return subprocess.run(
        command,
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of an exported state."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    protect: bool
    id: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A copy of the program with its own state, so that a test may edit stack files.

    Attributes:
        root: Its folder.
        cloud: Whether moto stands behind aws, as it does for users.
    """

    root: Path
    cloud: bool = False

    @classmethod
    def copy_to(cls, root: Path, *, cloud: bool = False) -> Platform:
        root.mkdir(parents=True)
        platform = cls(root=root, cloud=cloud)
        platform.take_working_copy()
        return platform

    @property
    def folder(self) -> Path:
        """The cloud's own folder."""
        return self.root / ".pulumi-local" / "cloud"

    def copied(self, root: Path) -> Path:
        """Copy the stacks as they are applied, with all that is in their cloud; give the copy's folder."""
        # What says where the cloud runs stays behind: the copy gets one of its own.
        here = shutil.ignore_patterns("cloud.json", "port")
        shutil.copytree(self.root, root, symlinks=True, ignore=here)
        return root

    def take_working_copy(self) -> None:
        """Put the program and stack files of the working copy in place of what is there; the state stays."""
        for name in _PROGRAM:
            source, target = REPOSITORY / name, self.root / name
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        for old in self.root.glob("Pulumi.*.yaml"):
            old.unlink()
        for stack_file in REPOSITORY.glob("Pulumi.*.yaml"):
            shutil.copy(stack_file, self.root)

    def run(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a pulumi command and give what it said, whatever its exit code."""
        more = {**ONE_CHECKPOINT, "PULUMI_LOCAL_CLOUD": "on" if self.cloud else "off", **more}
        return run_pulumi(self.root, *args, more=more, timeout_seconds=_TIMEOUT_SECONDS)

    def ok(self, *args: str, **more: str) -> str:
        """Run what must succeed, and give its standard output."""
        done = self.run(*args, **more)
        assert done.returncode == 0, (
            f"{args}: {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        )
        return done.stdout

    def refused(self, *args: str, **more: str) -> str:
        """Run what must fail without a traceback, and give all that it said."""
        done = self.run(*args, **more)
        assert done.returncode != 0, f"{args} should have failed\n{done.stdout[-3000:]}"
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        return said

    def resources(self, stack: str) -> list[Resource]:
        """What the stack's exported state holds."""
        state = json.loads(self.ok("stack", "export", "--stack", stack))
        return [
            Resource(
                urn=resource["urn"],
                type=resource["type"],
                name=resource["urn"].rpartition("::")[2],
                parent=resource.get("parent", ""),
                inputs=resource.get("inputs", {}),
                outputs=resource.get("outputs", {}),
                protect=resource.get("protect", False),
                id=resource.get("id", ""),
                aliases=tuple(resource.get("aliases", ())),
            )
            for resource in state["deployment"].get("resources", [])
        ]

    def set(self, stack: str, key: str, value: object) -> None:
        """Change a stack file as a person would with an editor; `key` is dotted below `parking:`."""
        path = self.root / f"Pulumi.{stack}.yaml"
        document = yaml.safe_load(path.read_text())
        first, *rest = key.split(".")
        target, last = document["config"], f"parking:{first}"
        for part in rest:
            target, last = target.setdefault(last, {}), part
        target[last] = value
        path.write_text(yaml.safe_dump(document, sort_keys=False))
