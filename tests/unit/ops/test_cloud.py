"""A region that does not answer is waited for once, not at every step."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

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
