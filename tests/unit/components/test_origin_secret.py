"""The origin secret and its rotation: at no time does a region refuse what the edge sends."""

from typing import Any

import pytest

from components.origin_secret import OriginSecret
from tests.unit.components.building import Built, build, context
from tests.unit.components.traffic import TrafficRecorder

RANDOM = "random:index/randomPassword:RandomPassword"


def build_secret(generation: int) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        secret = OriginSecret("origin-secret", context=context(), generation=generation, opts=opts)
        return {"current": secret.current.is_secret(), "count": len(secret.accepted)}

    return build(make, recorder=TrafficRecorder())


def names(built: Built) -> list[str]:
    return sorted(password.name for password in built.recorder.of_type(RANDOM))


def test_previous_current_and_next_values_exist_and_are_secret() -> None:
    built = build_secret(3)

    assert names(built) == ["origin-secret-2", "origin-secret-3", "origin-secret-4"]
    assert built.outputs == {"current": True, "count": 3}


def test_a_rotation_keeps_what_was_sent_and_what_will_be() -> None:
    assert set(names(build_secret(1))) & set(names(build_secret(2))) == {"origin-secret-1", "origin-secret-2"}


def test_values_are_long_and_hold_no_wildcard_of_the_load_balancer() -> None:
    for password in build_secret(1).recorder.of_type(RANDOM):
        assert (password.inputs["length"], password.inputs["special"]) == (64, False)


def test_generations_count_from_one() -> None:
    with pytest.raises(ValueError, match="count from 1; found 0"):
        build_secret(0)
