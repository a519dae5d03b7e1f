"""Asks cfn-lint about resources, and remembers what it said from run to run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from infra.local.providers.check import Failure
from infra.local.providers.plugin import Resource
from infra.local.providers.values import Asset, ResourceReference, Secret, Unknown, Value
from infra.local.value_checks.types import NOT_CARRIED, cfn_type

CACHE: Final = "PULUMI_LOCAL_CACHE"
"""The variable that names the folder which the user's clones share."""
# What AWS made up: it is unknown in a preview and differs in every account, so it says nothing about the inputs.
_MADE_UP: Final = re.compile(r"arn:[\w-]+:|[a-z]+-[0-9a-f]{8,}\b|Z[0-9A-Z]{10,}\Z|\d{12}[.:/]|https?://")
_LIMIT_BYTES: Final = 8_000_000
"""A larger memory starts anew: about 200,000 resources."""
_OUTDATED_SECONDS: Final = 30 * 24 * 3600
"""What no run has added to for a month, mostly that of another version, is dropped."""


def memory_folder(environ: Mapping[str, str], state: Path) -> Path:
    """Where the judgements of all clones are kept: they depend on nothing but the rules and the inputs."""
    return Path(environ.get(CACHE) or state) / "values"


class Judge:
    """Judges the values of resources; safe for threads, and its memory for several processes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{_digest_of_rules()}.jsonl"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._known = self._read()
        if not self._known:
            # It loads while the engine starts the program.
            self._start()

    def failures(self, resource: Resource, region: str) -> list[Failure]:
        """What AWS would not take; empty for what is right, unknown or of a type that cfn-lint does not have."""
        if cfn_type(resource.token) is None:
            return []
        asked = json.dumps(asked_of(resource, region), sort_keys=True)
        key = hashlib.sha256(asked.encode()).hexdigest()[:24]
        with self._lock:
            if key not in self._known:
                self._known[key] = self._ask(asked)
                self._remember(key)
            return [Failure(path, reason) for path, reason in self._known[key]]

    @property
    def is_running(self) -> bool:
        """Whether cfn-lint was loaded."""
        return self._process is not None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None:
                with self._process as process:
                    process.kill()
                self._process = None

    def _read(self) -> dict[str, list[tuple[str, str]]]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        for file in self._file.parent.glob("*.jsonl"):
            facts = file.stat()
            if facts.st_size > _LIMIT_BYTES or facts.st_mtime < time.time() - _OUTDATED_SECONDS:
                file.unlink(missing_ok=True)
        found: dict[str, list[tuple[str, str]]] = {}
        for line in self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else ():
            try:
                key, findings = json.loads(line)
                found[str(key)] = [(str(path), str(reason)) for path, reason in findings]
            except (ValueError, TypeError):
                # A line that a killed run left half written is asked for again.
                continue
        return found

    def _remember(self, key: str) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, self._known[key]]) + "\n")

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.value_checks.linter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Settings and newer schemas of the user's own cfn-lint would make one's judgements differ from another's.
            env=os.environ | {"HOME": str(self._file.parent), "XDG_CACHE_HOME": str(self._file.parent)},
            # A terminal's Ctrl-C is for the engine; this ends with its input.
            start_new_session=True,
        )
        return self._process

    def _ask(self, asked: str) -> list[tuple[str, str]]:
        process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process of cfn-lint has no pipes")
        process.stdin.write(asked + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(
                "the process of cfn-lint ended; its last words are in the log of the stand-ins"
            )
        return [(str(path), str(reason)) for path, reason in json.loads(line)]


def asked_of(resource: Resource, region: str) -> dict[str, Any]:
    """What is asked about a resource: nothing secret, nothing that AWS made up."""
    inputs = {name: known(value) for name, value in resource.inputs.items() if _carried(name)}
    return {"token": resource.token, "region": region, "inputs": inputs}


def known(value: Value) -> object:
    """A value as plain JSON: null in place of what is secret, unknown, a file or made up by AWS."""
    if isinstance(value, dict):
        return {name: known(item) for name, item in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [known(item) for item in value]
    if value is None or isinstance(value, Secret | Unknown | Asset | ResourceReference):
        return None
    return None if isinstance(value, str) and _MADE_UP.match(value) else value


def _carried(name: str) -> bool:
    return name not in NOT_CARRIED and not name.startswith("__")


def _digest_of_rules() -> str:
    """Digits that change with cfn-lint and with this package: what was said before is then forgotten."""
    digest = hashlib.sha256(version("cfn-lint").encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
