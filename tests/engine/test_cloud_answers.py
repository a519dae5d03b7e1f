"""Answers of the cloud that never arrive: what was asked for is made once, or taken away, never left."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from infra.local.cloud import running
from infra.local.cloud.driver import Driver
from infra.local.providers.aws.plugin import AwsPlugin
from infra.local.providers.cloud_backend import CloudBackend
from infra.local.providers.plugin import Instance, RefusedError, Resource
from infra.local.providers.store import Store
from infra.local.providers.values import Map
from tests.engine import inventory

URN = "urn:pulumi:dev::shop::aws:ec2/vpc:Vpc::main"
REGION = "us-west-2"


class Line(ThreadingHTTPServer):
    """A line to the cloud that can be cut behind a request: the cloud gets it, nobody gets the answer."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = urlsplit(url).netloc
        self.cut = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        line = self.server
        assert isinstance(line, Line)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection(line.host)
        onward.request("POST", self.path, body, dict(self.headers))
        answer = onward.getresponse()
        said = answer.read()
        if line.cut:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        del format, args


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    folder = tmp_path / "cloud"
    cloud = running.start(folder, log=tmp_path / "cloud.log")
    with Line(cloud.url) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
    running.stop(folder)


@pytest.fixture
def backend(tmp_path: Path, line: Line) -> CloudBackend:
    store = Store(tmp_path, passphrase="of-a-test")  # noqa: S106 - of nothing
    return CloudBackend(AwsPlugin(), store, Driver(line.url, "local"))


def vpc(cidr: str = "10.0.0.0/16") -> Resource:
    inputs: Map = {"cidrBlock": cidr}
    return Resource(URN, inputs, Instance({"region": REGION}, ""))


def vpcs(tmp_path: Path) -> set[str]:
    return inventory.in_cloud(tmp_path / "cloud", [REGION])["ec2:Vpc"]


def test_what_was_made_without_an_answer_is_taken_away_by_the_next_run(
    tmp_path: Path, line: Line, backend: CloudBackend
) -> None:
    line.cut = True
    with pytest.raises(RefusedError, match=r"gave no answer to create_vpc.*run the command again"):
        backend.create(vpc())
    line.cut = False
    assert len(vpcs(tmp_path)) == 1

    assert backend.sweep("dev") == 1

    assert vpcs(tmp_path) == set()
    assert backend.sweep("dev") == 0


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.1.0.0/16"])
def test_what_was_made_without_an_answer_is_not_made_beside(
    tmp_path: Path, line: Line, backend: CloudBackend, cidr: str
) -> None:
    line.cut = True
    with pytest.raises(RefusedError, match="no answer"):
        backend.create(vpc())
    # The line is down for the next run's beginning, too.
    with pytest.raises(RefusedError, match="no answer"):
        backend.sweep("dev")
    line.cut = False

    identity, _ = backend.create(vpc(cidr))

    assert vpcs(tmp_path) == {identity}


def test_what_the_cloud_refused_leaves_nothing_to_take_away(backend: CloudBackend) -> None:
    with pytest.raises(RefusedError, match=r"CIDR|Invalid"):
        backend.create(vpc("10.0.0.0/40"))

    assert backend.sweep("dev") == 0
