"""The key of a stack of AWS, with the real engine and a stand-in of KMS: nothing is readable without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infra import secrets_provider
from infra.local import engines, environment
from infra.local.home import Home

REGION = "eu-west-1"
URL = f"awskms://alias/parking-pulumi?region={REGION}"
VALUE = "correct-horse-battery-staple"
PROGRAM = """
import pulumi

pulumi.export("password", pulumi.Config().require_secret("password"))
"""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
PASSPHRASE = {"PULUMI_CONFIG_PASSPHRASE": "long-enough"}


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project as on AWS: its engine without the local platform's mirror, its state in a folder, its key in KMS."""

    root: Path
    endpoint: str

    @property
    def file(self) -> Path:
        return self.root / "Pulumi.dev.yaml"

    def run(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        home = Home(root=self.root / "home", project=self.root)
        home.create()
        engine = engines.find(home=home, environ=os.environ)
        env = environment.for_engine(
            environ=os.environ,
            home=home,
            language_host=engines.language_host_folder(engine=engine, home=home),
            engine_version=engine.version,
            ports={},
        )
        del env[environment.VARIABLE]
        env |= {**CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint, **more}
        return subprocess.run(
            [str(engine.path), *args, "--non-interactive"],
            cwd=self.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def ok(self, *args: str, **more: str) -> str:
        done = self.run(*args, **more)
        assert done.returncode == 0, f"{args}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def kms() -> Iterator[str]:
    """Where a stand-in of KMS with the key answers."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    keys = cast("Any", session).client("kms", endpoint_url=endpoint, region_name=REGION)
    keys.create_alias(AliasName="alias/parking-pulumi", TargetKeyId=keys.create_key()["KeyMetadata"]["KeyId"])
    yield endpoint
    server.stop()


@pytest.fixture
def project(tmp_path: Path, kms: str) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    (root / "__main__.py").write_text(PROGRAM)
    (root / "Pulumi.yaml").write_text(
        "name: mini\nruntime:\n  name: python\n  options: {toolchain: pip, virtualenv: .venv}\n"
    )
    (root / ".venv").symlink_to(sys.prefix)
    return Project(root=root, endpoint=kms)


def test_a_stack_made_as_readme_says_is_readable_with_its_key_alone(project: Project) -> None:
    project.file.write_text(f"secretsprovider: {URL}\nconfig: {{}}\n")
    project.ok("stack", "init", "dev", "--secrets-provider", URL)
    project.ok("config", "set", "--secret", "mini:password", VALUE, "--stack", "dev")
    project.ok("up", "--yes", "--skip-preview", "--stack", "dev")
    state = json.loads(project.ok("stack", "export", "--stack", "dev"))

    assert secrets_provider.of_deployment(project.file, {}) == []
    assert secrets_provider.of_state(state) == []
    held = [path for path in project.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in held if VALUE.encode() in path.read_bytes()]
    shown = ("stack", "output", "password", "--show-secrets", "--stack", "dev")
    assert project.ok(*shown).strip() == VALUE
    # The stand-in lets anyone decrypt, so the key is taken away by closing the way to it.
    without = project.run(*shown, AWS_ENDPOINT_URL="http://127.0.0.1:1", AWS_MAX_ATTEMPTS="1")
    assert without.returncode != 0
    assert VALUE not in without.stdout + without.stderr


def test_a_stack_made_with_a_passphrase_is_found_out(project: Project) -> None:
    project.ok("stack", "init", "dev", **PASSPHRASE)
    project.ok("config", "set", "--secret", "mini:password", VALUE, "--stack", "dev", **PASSPHRASE)
    project.ok("up", "--yes", "--skip-preview", "--stack", "dev", **PASSPHRASE)
    state = json.loads(project.ok("stack", "export", "--stack", "dev"))

    keys = [problem.key for problem in secrets_provider.of_stack_file(project.file)]
    assert keys == ["secretsprovider", "encryptionsalt"]
    assert [problem.key for problem in secrets_provider.of_state(state)] == ["secrets_providers"]


def test_a_stack_made_with_a_passphrase_is_not_applied_without_it(project: Project) -> None:
    project.ok("stack", "init", "dev", **PASSPHRASE)
    project.file.write_text(f"secretsprovider: {URL}\nconfig: {{}}\n")

    done = project.run("up", "--yes", "--skip-preview", "--stack", "dev")

    assert done.returncode != 0
    assert "passphrase must be set" in done.stdout + done.stderr
