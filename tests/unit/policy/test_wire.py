"""What the engine sends is what a policy sees."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.providers import wire as engine
from infra.local.providers.values import UNKNOWN as NOT_KNOWN
from infra.local.providers.values import UNKNOWN_SENTINELS, Secret
from infra.policy import wire
from infra.policy.model import UNKNOWN


def test_values_are_decoded_at_any_depth() -> None:
    sent: Any = {"a": "text", "b": 1.5, "c": True, "d": None, "e": [{"f": ["x", 2]}], "g": {}}

    assert wire.properties(engine.encode(sent)) == sent


def test_secrets_are_in_clear_since_they_are_checked_too() -> None:
    assert wire.properties(engine.encode({"policy": Secret({"a": ["b"]})})) == {"policy": {"a": ["b"]}}


def test_what_is_not_known_yet_is_marked() -> None:
    found = wire.properties(engine.encode({"arn": NOT_KNOWN, "list": ["x", NOT_KNOWN]}))

    assert found == {"arn": UNKNOWN, "list": ["x", UNKNOWN]}


@pytest.mark.parametrize("sentinel", sorted(UNKNOWN_SENTINELS))
def test_every_sentinel_of_the_engine_is_known(sentinel: str) -> None:
    assert wire.properties(engine.encode({"a": sentinel}))["a"] is UNKNOWN


def test_an_output_is_its_value_or_not_known() -> None:
    signature = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    sent: Any = {"a": {**signature, "value": "x"}, "b": {**signature}}

    assert wire.properties(engine.encode(sent)) == {"a": "x", "b": UNKNOWN}
