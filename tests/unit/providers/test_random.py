from __future__ import annotations

import base64
import re
import string

import pytest

from infra.local.providers.values import UNKNOWN, Map, Secret

from .conftest import Client, Connect

PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a resource type


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect("random")


def password(client: Client, inputs: Map, name: str = "it") -> str:
    result = client.create(PASSWORD, inputs, name=name).outputs["result"]
    assert isinstance(result, Secret)
    return str(result.value)


def test_a_password_is_random_secret_and_as_long_as_asked(client: Client) -> None:
    first, second = password(client, {"length": 32}, "a"), password(client, {"length": 32}, "b")
    assert len(first) == len(second) == 32
    assert first != second


def test_a_password_obeys_its_classes(client: Client) -> None:
    assert set(password(client, {"length": 200, "special": False})) <= set(
        string.ascii_letters + string.digits
    )
    digits = password(client, {"length": 50, "special": False, "upper": False, "lower": False}, "digits")
    assert digits.isdigit()
    odd = password(client, {"length": 100, "overrideSpecial": "_", "minSpecial": 60}, "special")
    assert odd.count("_") >= 60
    assert password(client, {"length": 10, "minUpper": 10}, "upper").isupper()


def test_a_password_that_cannot_be_is_refused(client: Client) -> None:
    assert (
        "sum of the minima, 12"
        in client.refusals(PASSWORD, {"length": 4, "minUpper": 6, "minLower": 6})["length"]
    )
    assert "expected integer" in client.refusals(PASSWORD, {"length": "long"})["length"]
    assert "missing" in client.refusals(PASSWORD, {})["length"]
    off: Map = dict.fromkeys(("special", "upper", "lower", "numeric"), False)
    assert "every character class is off" in client.refusals(PASSWORD, {"length": 4, **off})[""]


def test_every_change_makes_a_new_value(client: Client) -> None:
    answer = client.diff(PASSWORD, {"length": 8}, {"length": 8, "keepers": {"a": "b"}})
    assert list(answer.replaces) == ["keepers"]
    assert list(client.diff(PASSWORD, {"length": 8}, {"length": 9}).replaces) == ["length"]


def test_a_preview_does_not_draw(client: Client) -> None:
    assert client.create(PASSWORD, {"length": 8}, preview=True).outputs["result"] is UNKNOWN


def test_the_value_stays_when_it_is_read_again(client: Client) -> None:
    made = client.create(PASSWORD, {"length": 8})
    assert client.read(PASSWORD, made).outputs == made.outputs


def test_the_forms_of_an_id_are_the_same_bytes(client: Client) -> None:
    made = client.create("random:index/randomId:RandomId", {"byteLength": 8, "prefix": "p-"})
    content = bytes.fromhex(str(made.outputs["hex"]).removeprefix("p-"))
    assert len(content) == 8
    assert made.outputs["b64Std"] == "p-" + base64.b64encode(content).decode()
    assert made.outputs["dec"] == f"p-{int.from_bytes(content, 'big')}"
    assert made.outputs["b64Url"] == f"p-{made.id}"


def test_the_other_kinds_give_what_they_are_named_for(client: Client) -> None:
    kinds: dict[str, Map] = {
        "RandomUuid": {},
        "RandomInteger": {"min": 3, "max": 5},
        "RandomPet": {"length": 3, "prefix": "p"},
        "RandomShuffle": {"inputs": ["a", "b", "c"], "resultCount": 2},
        "RandomString": {"length": 5, "special": False},
        "RandomBytes": {"length": 6},
    }
    made = {
        kind: client.create(f"random:index/{kind[0].lower()}{kind[1:]}:{kind}", inputs)
        for kind, inputs in kinds.items()
    }
    assert re.fullmatch(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(made["RandomUuid"].outputs["result"])
    )
    assert made["RandomInteger"].outputs["result"] in {3, 4, 5}
    assert re.fullmatch(r"p-[a-z]+-[a-z]+-[a-z]+", made["RandomPet"].id)
    shuffled = made["RandomShuffle"].outputs["results"]
    assert isinstance(shuffled, list)
    assert len(shuffled) == 2
    assert {str(found) for found in shuffled} <= {"a", "b", "c"}
    assert re.fullmatch(r"[A-Za-z0-9]{5}", made["RandomString"].id)
    assert isinstance(made["RandomBytes"].outputs["hex"], Secret)


def test_a_range_upside_down_is_refused(client: Client) -> None:
    token = "random:index/randomInteger:RandomInteger"  # noqa: S105 - a resource type
    assert "at most max" in client.refusals(token, {"min": 5, "max": 3})["min"]
