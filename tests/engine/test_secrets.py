"""After `up` of every stack, no generated secret is anywhere in clear."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from infra.diagram.graph import read
from infra.report import changes
from infra.report.differences import Side, compare
from infra.report.facts import facts
from infra.report.page import render
from services import CATALOGUE
from tests.engine.platform import REPOSITORY, Platform
from tests.unit.stack_files import STACKS

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_MARK = "1b47061264138c4ac30d75fd1eb44270"
_SHORTEST = 12
"""Shorter values are found by chance."""


def secrets_in(value: Any) -> Iterator[str]:
    """Every text inside what a state marks as secret."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if mapping.get(_SIGNATURE) == _MARK:
            yield from texts(json.loads(mapping["plaintext"]))
            return
        for each in mapping.values():
            yield from secrets_in(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from secrets_in(each)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in cast("dict[str, Any]", value).values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def passwords(shown: str) -> set[bytes]:
    """What the random provider drew for a stack."""
    resources = json.loads(shown)["deployment"]["resources"]
    drawn = [
        r["outputs"]["result"] for r in resources if r["type"] == "random:index/randomPassword:RandomPassword"
    ]
    return {text.encode() for result in drawn for text in secrets_in(result) if len(text) >= _SHORTEST}


@pytest.fixture(scope="module")
def drawn(platform: Platform) -> dict[str, set[bytes]]:
    return {
        stack: passwords(platform.ok("stack", "export", "--show-secrets", "--stack", stack))
        for stack in STACKS
    }


def holding(folder: Path, values: set[bytes]) -> list[str]:
    """Files below a folder that hold one of the values in clear."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in files if any(value in path.read_bytes() for value in values)]


def test_every_stack_draws_secrets(drawn: dict[str, set[bytes]]) -> None:
    assert all(len(values) > 10 for values in drawn.values())


def test_no_file_that_up_left_holds_a_secret(platform: Platform, drawn: dict[str, set[bytes]]) -> None:
    values = set[bytes]().union(*drawn.values())
    home = platform.root / ".pulumi-local"

    assert (home / "logs").is_dir()
    assert list(home.rglob("records.sqlite"))
    assert holding(home, values) == []


def test_the_search_would_find_one(tmp_path: Path, drawn: dict[str, set[bytes]]) -> None:
    value = next(iter(drawn["prod"]))
    (tmp_path / "log").write_bytes(b"password=" + value)

    assert holding(tmp_path, {value}) == [str(tmp_path / "log")]


@pytest.mark.parametrize("stack", STACKS)
def test_no_command_shows_a_secret_unasked(
    platform: Platform, drawn: dict[str, set[bytes]], stack: str
) -> None:
    for command in (
        ("stack", "output", "--json"),
        ("stack", "export"),
        ("preview", "--diff"),
        ("preview", "--json"),
    ):
        done = platform.run(*command, "--stack", stack)
        said = (done.stdout + done.stderr).encode()
        assert done.returncode == 0, done.stderr
        assert not [value for value in drawn[stack] if value in said], command


@pytest.mark.parametrize("stack", STACKS)
def test_no_report_shows_a_secret(platform: Platform, drawn: dict[str, set[bytes]], stack: str) -> None:
    shown = json.loads(platform.ok("stack", "export", "--show-secrets", "--stack", stack))
    graph, found = read(shown), facts(stack, catalogue=CATALOGUE, root=REPOSITORY, graph=read(shown))
    now = changes.properties(shown)
    # At the base every property had another value, so that each resource is among the differences.
    then = {name: dict.fromkeys(inputs) for name, inputs in now.items()}
    before = Side(graph=graph, properties=then, facts=found)
    after = Side(graph=graph, properties=now, facts=found)
    compared = compare({stack: before}, {stack: after}, base="main")
    said = (compared + render(found, graph=graph) + json.dumps(found)).encode()

    assert b"Resources that differ" in said
    assert len(list(changes.differences(then, now))) > 100
    assert not [value for value in drawn[stack] if value in said]


@pytest.mark.parametrize("stack", STACKS)
def test_no_configuration_map_and_no_pod_carries_a_secret(
    platform: Platform, drawn: dict[str, set[bytes]], stack: str
) -> None:
    shown = json.loads(platform.ok("stack", "export", "--show-secrets", "--stack", stack))
    kinds = ("ConfigMap", "Deployment", "Job", "CronJob", "LaunchTemplate", "Function")
    plain = [r for r in shown["deployment"]["resources"] if r["type"].rpartition(":")[2] in kinds]

    assert len(plain) > 10
    for resource in plain:
        said = json.dumps(resource).encode()
        assert not [value for value in drawn[stack] if value in said], resource["urn"]


def test_no_process_of_a_run_has_a_secret_in_its_arguments(
    platform: Platform, drawn: dict[str, set[bytes]]
) -> None:
    seen: set[bytes] = set()
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(Path.home()),
        "PULUMI_LOCAL_PROJECT": str(platform.root),
        "PULUMI_LOCAL_HOME": str(platform.root / ".pulumi-local"),
        "PULUMI_LOCAL_PYTHON": sys.executable,
    }
    command = [str(REPOSITORY / "bin" / "pulumi-local"), "preview", "--stack", "staging"]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.05)

    assert process.returncode == 0
    assert any(b"language_program" in line or b"pulumi-language" in line for line in seen)
    assert not [line for line in seen for value in drawn["staging"] if value in line]
