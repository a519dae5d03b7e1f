"""The process of the local cloud: one for a folder, the same again after a stop or a kill, gone when unwanted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from infra.local.cloud import running
from infra.local.cloud.driver import KEY_HEADER
from tests.engine import inventory
from tests.engine.mini import wait_until
from tests.engine.platform import REPOSITORY


@pytest.fixture
def home(tmp_path: Path) -> Generator[Path]:
    yield tmp_path / "home"
    running.stop(tmp_path / "home" / "cloud")


def cloud(home: Path, *words: str, code: int = 0) -> str:
    """Run `python -m infra.local.cloud`, as the make targets do."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.cloud", *words],
        cwd=REPOSITORY,
        env={**os.environ, "PULUMI_LOCAL_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def running_one(home: Path) -> running.Running:
    found = running.find(home / "cloud")
    assert found is not None
    return found


def secret(home: Path) -> str:
    """Make something whose ARN has a random part."""
    made = inventory.client(home / "cloud", "secretsmanager", "eu-west-1").create_secret(
        Name="it", SecretString="it"
    )
    return str(made["ARN"])


def secrets(home: Path) -> list[str]:
    listed = inventory.client(home / "cloud", "secretsmanager", "eu-west-1").list_secrets()["SecretList"]
    return [one["ARN"] for one in listed]


def test_it_is_stopped_and_comes_back_with_what_it_held(home: Path) -> None:
    cloud(home, "up")
    arn, port = secret(home), running_one(home).port

    assert "what it holds stays" in cloud(home, "down")
    assert "does not run" in cloud(home, "status", code=1)
    said = cloud(home, "env")

    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in said
    assert secrets(home) == [arn]


def test_a_kill_loses_nothing_that_was_answered(home: Path) -> None:
    cloud(home, "up")
    arn = secret(home)
    os.kill(running_one(home).pid, signal.SIGKILL)

    cloud(home, "up")

    assert secrets(home) == [arn]


def test_ids_stay_though_only_reading_had_built_a_service(home: Path) -> None:
    cloud(home, "up")
    # Reads are not asked again when the cloud comes back, so what they built is built by another request then.
    inventory.client(home / "cloud", "iam", "us-east-1").list_users()
    made = inventory.client(home / "cloud", "ec2", "eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")

    os.kill(running_one(home).pid, signal.SIGKILL)
    cloud(home, "up")

    asked = inventory.client(home / "cloud", "ec2", "eu-west-1")
    found = asked.describe_vpcs(VpcIds=[made["Vpc"]["VpcId"]])["Vpcs"]
    assert [one["CidrBlock"] for one in found] == ["10.0.0.0/16"]


def test_what_is_forgotten_is_gone(home: Path) -> None:
    cloud(home, "up")
    secret(home)

    assert "forgotten" in cloud(home, "down", "--forget")
    cloud(home, "up")

    assert secrets(home) == []


def test_it_ends_when_its_folder_goes(home: Path) -> None:
    cloud(home, "up")
    pid = running_one(home).pid

    shutil.rmtree(home)

    wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the cloud has ended", seconds=30)


def test_two_that_start_it_at_once_get_the_same(home: Path) -> None:
    starts = [threading.Thread(target=cloud, args=(home, "up")) for _ in range(3)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()

    marks = [pid for pid in os.listdir("/proc") if pid.isdigit() and _serves(pid, home)]  # noqa: PTH208 - names only
    assert marks == [str(running_one(home).pid)]


def _serves(pid: str, home: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"--here" in words and str(home / "cloud").encode() in words


def test_a_creation_with_the_same_key_happens_once(home: Path) -> None:
    cloud(home, "up")
    ec2 = inventory.client(home / "cloud", "ec2", "eu-west-1")

    def keyed(key: str) -> str:
        def sign(request: object, **_: object) -> None:
            request.headers[KEY_HEADER] = key  # type: ignore[attr-defined] - botocore ships no types

        ec2.meta.events.register("before-sign.ec2.CreateVpc", sign, unique_id="key")
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.meta.events.unregister("before-sign.ec2.CreateVpc", unique_id="key")
        return str(made)

    first = keyed("urn#1")
    assert keyed("urn#1") == first
    cloud(home, "down")
    cloud(home, "up")
    ec2 = inventory.client(home / "cloud", "ec2", "eu-west-1")
    assert keyed("urn#1") == first, "also after it was started again"
    assert keyed("urn#2") != first


def test_it_takes_nothing_of_the_caller_s_secrets_with_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "do-not-keep-me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-keep-me")
    cloud(home, "up")

    assert b"do-not-keep-me" not in Path(f"/proc/{running_one(home).pid}/environ").read_bytes()
