"""The operations tool's own work: a drill by the command line, and a failover from a region that does not answer.

Both run against a cloud on loopback, which answers at once: what is measured is the tool, and its waiting for nobody.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import __version__ as moto_version
from moto.server import ThreadedMotoServer

from infra.local.cloud import faults
from infra.ops import cloud as cloud_of_operations
from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.drill import ENDPOINT, timed
from infra.ops.failover import Patience
from tests.records import record
from tests.unit.ops import estates
from tests.unit.ops.estates import AWAY, HOME, Bench
from tests.unit.stack_files import ROOT


@pytest.fixture
def own_cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A moto server with both production regions."""
    faults.mend()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {**estates.CREDENTIALS, ENDPOINT: f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    _forget_clients()
    _empty(host, port)
    estates.build_regions()
    yield os.environ[ENDPOINT]
    _forget_clients()
    server.stop()


def _forget_clients() -> None:
    """Clients that are kept go on asking the endpoint that they were made with."""
    estates.client.cache_clear()
    vars(cloud_of_operations)["_client"].cache_clear()


def _empty(host: str, port: int) -> None:
    """Servers of one process share what they hold."""
    connection = http.client.HTTPConnection(host, port)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == HTTPStatus.OK
    connection.close()


@pytest.fixture
def cloud(request: pytest.FixtureRequest) -> str:
    """The cloud that the environment names, as one that the stacks were applied to; else one of our own."""
    return os.environ.get(ENDPOINT) or request.getfixturevalue("own_cloud")


def test_the_command_drills_there_and_back_and_leaves_its_timeline(cloud: str, tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    command = [sys.executable, "-m", "infra.ops", "drill", "--to", AWAY, "--yes"]
    done = subprocess.run(
        [*command, "--journals", str(tmp_path / "journals"), "--timeline", str(timeline)],
        cwd=ROOT,
        env={**os.environ, ENDPOINT: cloud},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(timeline.read_text())
    record("tool", {**found, "moto": moto_version})
    assert [step["run"] for step in found["steps"] if step["step"] == "look"] == [
        f"failover-prod-{AWAY}",
        f"rejoin-prod-{HOME}",
        f"failover-prod-{HOME}",
        f"rejoin-prod-{AWAY}",
    ]


class Unplugged(Cloud):
    """One region's endpoints take no connection, as an address behind a cut line."""

    def __init__(self, region: str, endpoint: str) -> None:
        self._region, self._endpoint = region, endpoint

    def client(self, service: str, region: str) -> Any:
        found = super().client(service, region)
        if region != self._region or service in ("route53", "sts"):
            return found
        # boto3 ships without complete types.
        make: Any = vars(boto3)["client"]
        return make(service, region_name=region, config=found.meta.config, endpoint_url=self._endpoint)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An endpoint whose queue of connections is full: the kernel drops what else knocks, and nothing is refused."""
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            knocking = open_sockets.enter_context(socket.socket())
            knocking.settimeout(0)
            knocking.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_region_that_does_not_answer_is_waited_for_once(
    own_cloud: str, nobody: str, tmp_path: Path
) -> None:
    one = estates.desk_on(tmp_path, patience=Patience())
    assert own_cloud
    operations.failover(replace(one.desk, cloud=Unplugged(HOME, nobody), accept_loss=True), to=AWAY)

    [journal] = one.desk.journals.glob("*.jsonl")
    steps = timed(journal)
    record("unplugged", {"steps": [asdict(step) for step in steps]})
    seconds = {step.step: step.seconds for step in steps}
    assert _is_written_to(one)
    # The look at the regions waits for all attempts, and what follows for one.
    assert seconds["fence"] < seconds["look"] / 2
    assert seconds["verify"] < seconds["look"] / 2


def _is_written_to(one: Bench) -> bool:
    return one.writer_name() == one.head(AWAY).address
