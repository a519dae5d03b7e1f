"""A region that does not answer is waited for once, not at every step."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError

from infra.ops import cloud as room
from infra.ops.cloud import Cloud
from infra.ops.errors import CloudError
from tests.unit.ops.estates import AWAY, HOME


class Wire:
    """Clients that answer, fail or are not heard of, and how each was made."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.names_are_silent = False
        self.error: tuple[str, int] = ("AccessDenied", 403)
        self.asked: list[tuple[str, str, bool]] = []

    def client(self, service: str, region: str, *, brief: bool) -> Any:
        self.asked.append((service, region, brief))
        wire = self

        class Client:
            def describe(self) -> dict[str, Any]:
                if wire.names_are_silent if service == "route53" else region in wire.silent:
                    raise ConnectTimeoutError(endpoint_url="http://there")
                return {}

            def refuse(self) -> dict[str, Any]:
                code, status = wire.error
                response: Any = {
                    "Error": {"Code": code, "Message": "no"},
                    "ResponseMetadata": {"HTTPStatusCode": status},
                }
                raise ClientError(response, "Refuse")

        return Client()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    found = Wire()
    monkeypatch.setattr("infra.ops.cloud._client", found.client)
    return found


def silence(cloud: Cloud, wire: Wire) -> None:
    wire.silent.add(HOME)
    with pytest.raises(CloudError) as raised:
        cloud.ask("rds", HOME, "describe")
    assert raised.value.unreachable
    wire.asked.clear()


def test_a_silent_region_is_asked_once_more_and_others_with_patience(wire: Wire) -> None:
    cloud = Cloud()
    silence(cloud, wire)

    cloud.ask("rds", AWAY, "describe")
    cloud.ask("route53", HOME, "describe")
    with pytest.raises(CloudError):
        cloud.ask("ec2", HOME, "describe")

    assert wire.asked == [("rds", AWAY, False), ("route53", HOME, False), ("ec2", HOME, True)]


def test_names_that_are_not_answered_say_nothing_of_a_region(wire: Wire) -> None:
    cloud = Cloud()
    wire.names_are_silent = True

    with pytest.raises(CloudError):
        cloud.ask("route53", HOME, "describe")
    cloud.ask("rds", HOME, "describe")

    assert wire.asked[-1] == ("rds", HOME, False)


@pytest.mark.parametrize("operation", ["describe", "refuse"])
def test_a_region_that_answers_again_is_asked_with_patience_again(wire: Wire, operation: str) -> None:
    cloud = Cloud()
    silence(cloud, wire)
    wire.silent.clear()

    if operation == "describe":
        cloud.ask("rds", HOME, operation)
    else:
        with pytest.raises(CloudError):
            cloud.ask("rds", HOME, operation)
    cloud.ask("rds", HOME, "describe")

    assert [brief for _, _, brief in wire.asked] == [True, False]


@pytest.mark.parametrize(
    ("code", "status", "out"),
    [
        ("InternalFailure", 500, True),
        ("503", 503, True),
        ("RequestLimitExceeded", 503, False),
        ("AccessDenied", 403, False),
    ],
)
def test_a_region_whose_services_fail_is_out_and_one_that_is_asked_too_often_is_not(
    wire: Wire,
    code: str,
    status: int,
    out: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    cloud = Cloud()
    wire.error = (code, status)

    with pytest.raises(CloudError) as raised:
        cloud.ask("rds", HOME, "refuse")
    cloud.ask("rds", HOME, "describe")

    assert raised.value.unreachable is out
    assert wire.asked[-1] == ("rds", HOME, out)


def test_a_service_that_is_asked_too_often_is_asked_in_three_rounds(wire: Wire) -> None:
    wire.error = ("ThrottlingException", 400)

    with pytest.raises(CloudError, match="ThrottlingException"):
        Cloud().ask("rds", HOME, "refuse")

    assert wire.asked == [("rds", HOME, False)] * 3


@dataclass
class Mute:
    """A port that takes calls and never answers."""

    calls: list[socket.socket] = field(default_factory=list[socket.socket])

    def __post_init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.calls.append(self.listening.accept()[0])
            except OSError:
                return

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def close(self) -> None:
        for each in (self.listening, *self.calls):
            each.close()


def at_once(strategy: object, attempt: object) -> int:
    """Seconds to wait before an attempt."""
    del strategy, attempt
    return 0


def test_a_region_that_takes_calls_and_never_answers_is_out_within_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options: Any = vars(room)["_CONFIG"]
    attempts = options.retries["total_max_attempts"]
    # Between attempts a client waits up to 1, 2, 4 seconds and so on.
    assert attempts * options.read_timeout + sum(2**number for number in range(attempts - 1)) < 60
    assert options.connect_timeout <= options.read_timeout

    monkeypatch.setattr(room, "_CONFIG", options.merge(Config(read_timeout=0.05)))
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", at_once)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    mute = Mute()
    monkeypatch.setenv("AWS_ENDPOINT_URL", mute.url)
    vars(room)["_client"].cache_clear()
    try:
        with pytest.raises(CloudError) as raised:
            Cloud().ask("rds", HOME, "describe_db_instances")
    finally:
        vars(room)["_client"].cache_clear()
        mute.close()

    assert raised.value.unreachable
    assert len(mute.calls) == attempts
