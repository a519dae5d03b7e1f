"""Drift is what the engine's comparison with the cloud finds; a comparison that fails is not called one that finds.

The engine's part is played by a program that compares a server of the cloud, asked by boto3, with what a file says it
was, and ends with the engine's own words. That the engine itself finds differences is proven with it (tests/engine).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from infra.ops import __main__ as command
from infra.ops.drift import drift
from infra.ops.errors import OpsError
from tests.unit.ops import estates
from tests.unit.ops.estates import HOME, production

NAME = "parking-seen-by-drift"
ENGINE = """
import os, sys, boto3
assert sys.argv[1:5] == ["refresh", "--preview-only", "--expect-no-changes", "--non-interactive"], sys.argv
assert sys.argv[5] == "--stack", sys.argv
if sys.argv[6] == os.environ.get("NOT_COMPARED"):
    sys.exit("error: no stack named it found")
found = boto3.client("sqs", region_name="us-east-1").get_queue_attributes(
    QueueUrl=os.environ["QUEUE"], AttributeNames=["VisibilityTimeout"]
)["Attributes"]["VisibilityTimeout"]
if sys.argv[6] == "prod" and found != "30":
    print(" ~ visibilityTimeoutSeconds: 30 => " + found)
    sys.exit("error: no changes were expected but changes were proposed")
"""


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A queue in a cloud of its own; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {**estates.CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    estates.client.cache_clear()
    url = estates.client("sqs", HOME).create_queue(QueueName=NAME)["QueueUrl"]
    monkeypatch.setenv("QUEUE", url)
    yield url
    estates.client("sqs", HOME).delete_queue(QueueUrl=url)
    estates.client.cache_clear()
    server.stop()


@pytest.fixture
def pulumi(tmp_path: Path) -> list[str]:
    program = tmp_path / "pulumi.py"
    program.write_text(ENGINE)
    return [sys.executable, str(program)]


def change(queue: str) -> None:
    estates.client("sqs", HOME).set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "45"})


def test_nothing_differs_where_nobody_changed_anything(queue: str, pulumi: list[str]) -> None:
    said: list[str] = []

    assert queue
    assert not drift(production(), pulumi=pulumi, say=said.append)
    assert said == ["prod: as the state says", "prod-eu-west-1: as the state says"]


def test_what_was_changed_by_hand_is_found_in_its_stack_alone(queue: str, pulumi: list[str]) -> None:
    said: list[str] = []
    change(queue)

    assert drift(production(), pulumi=pulumi, say=said.append)
    assert said[0] == "prod: DIFFERS"
    assert "visibilityTimeoutSeconds: 30 => 45" in said[1]
    assert said[2:] == ["prod-eu-west-1: as the state says"]


def test_a_stack_that_cannot_be_compared_is_no_difference_and_hides_none(
    queue: str, pulumi: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    change(queue)
    monkeypatch.setenv("NOT_COMPARED", "prod-eu-west-1")

    with pytest.raises(OpsError, match="not compared: prod-eu-west-1;"):
        drift(production(), pulumi=pulumi, say=said.append)
    assert [line for line in said if not line.startswith(" ")] == [
        "prod: DIFFERS",
        "prod-eu-west-1: NOT COMPARED",
    ]
    assert "error: no stack named it found" in said[-1]


def test_a_command_that_is_not_there_is_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["drift", "--pulumi", "no-such-pulumi"]) == 2

    said = capsys.readouterr().err
    assert "no-such-pulumi cannot be started" in said
    assert "--pulumi bin/pulumi-local" in said


@pytest.mark.parametrize(("differs", "code"), [(False, 0), (True, 1)])
def test_the_exit_code_says_whether_anything_differs(
    monkeypatch: pytest.MonkeyPatch,
    differs: bool,  # noqa: FBT001 - a parameter of the table
    code: int,
) -> None:
    def compared(*_: object, **__: object) -> bool:
        return differs

    monkeypatch.setattr("infra.ops.drift.drift", compared)

    assert command.main(["drift"]) == code
