"""Whatever a stack file says, it is understood or refused with a clear error; nothing else ever comes out.

`FUZZ_EXAMPLES` says how many files each test tries; `make test-all` tries thousands.
"""

from __future__ import annotations

import copy
import json
import os
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.model.stack import StackSettings
from infra.problems import SettingsError
from infra.settings import parse
from services import CATALOGUE
from tests.unit.stack_files import STACKS, raw

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
PATIENT = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)

TEXT = st.text(max_size=12)
LIKELY = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "true",
        "null",
        "10.0.0.0/8",
        "10.0.0.0/33",
        "us-east-1a",
        "db.r6g.large",
        "1.36",
        "☃",
        "a" * 300,
    ]
)
NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -1, 1, 0.3, 10**12])
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT | LIKELY
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def understood(config: dict[str, str], *, stack: str = "prod") -> StackSettings | None:
    """Settings, or None where they were refused as a person can use; anything else fails the test."""
    try:
        return parse(config, stack=stack, catalogue=CATALOGUE, other_ranges={"other": "10.77.0.0/16"})
    except SettingsError as error:
        refusal = error
    assert refusal.problems
    for problem in refusal.problems:
        assert problem.key
        assert problem.allowed
        assert problem.action
    # The word alone may be the name of a key: examples are made of what stands in the code, too.
    assert "Traceback (most recent call last)" not in str(refusal)
    return None


def as_text(config: dict[str, Any]) -> dict[str, str]:
    """As the engine hands values on: text as it is, the rest as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def places(value: Any, *, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nested value."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, each in cast("dict[str, Any]", value).items():
            found += places(each, at=(*at, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[Any]", value)):
            found += places(each, at=(*at, index))
    return found


def change(config: Any, place: tuple[Any, ...], how: str, value: Any) -> None:
    """Set, drop, rename or add at a place; one that an earlier change took away is left."""
    target = config
    for step in place[:-1]:
        try:
            target = target[step]
        except (KeyError, IndexError, TypeError):
            return
    last = place[-1]
    if isinstance(target, list) and isinstance(last, int):
        there = cast("list[Any]", target)
        there[last : last + 1] = [] if how == "drop" else [value]
    elif isinstance(target, dict):
        mapping = cast("dict[Any, Any]", target)
        if how == "drop":
            mapping.pop(last, None)
        elif how == "rename":
            mapping[f"{last}x"] = mapping.pop(last, None)
        else:
            key = "parking:extra" if target is config else "extra"
            mapping[key if how == "add" else last] = value


@PATIENT
@given(data=st.data())
@pytest.mark.parametrize("stack", STACKS)
def test_a_mutated_stack_file_is_understood_or_refused_clearly(stack: str, data: st.DataObject) -> None:
    config = raw(stack)
    everywhere = places(config)
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        place = data.draw(st.sampled_from(everywhere), label="place")
        how = data.draw(st.sampled_from(["set", "drop", "rename", "add"]), label="how")
        change(config, place, how, data.draw(VALUES, label="value"))

    understood(as_text(config), stack=stack)


NASTY: tuple[Any, ...] = (
    0, -1, 0.3, 10**12, 10**400, 1e308, -1e308, 5e-324, 2**63, float("inf"), float("nan"), None, True,
    "", "0", "a" * 300, "\x00", "\ud800", "null", "1" * 5000, "[" * 100_000, [], {}, [None], [[]], [1e308], ["\ud800"],
    {"": None}, {"\ud800": 1}, {"x": "\ud800"},
)  # fmt: skip


@pytest.mark.parametrize("value", NASTY, ids=lambda value: ascii(value)[:20] if value is not True else "true")
def test_a_nasty_value_anywhere_is_understood_or_refused_clearly(value: Any) -> None:
    whole = raw("prod")
    for place in places(whole):
        config = copy.deepcopy(whole)
        change(config, place, "set", value)
        understood(as_text(config))


def test_what_no_setting_could_be_is_said_beside_all_else() -> None:
    config = as_text(raw("prod"))
    demand = json.dumps({"concurrentUsers": 10**20, "growthMonths": 0})
    with pytest.raises(SettingsError) as refused:
        parse(
            {**config, "parking:demand": demand, "parking:owner": "\ud800"},
            stack="prod",
            catalogue=CATALOGUE,
            other_ranges={},
        )

    said = {problem.key: problem for problem in refused.value.problems}
    assert {"parking:demand.concurrentUsers", "parking:demand.growthMonths", "parking:owner"} == set(said)
    assert said["parking:demand.concurrentUsers"].found == "a number of more than 12 digits"
    assert "UTF-8" in said["parking:owner"].allowed
    assert str(refused.value).encode()


KEYS = st.sampled_from(
    sorted({key for stack in STACKS for key in raw(stack)} | {"parking:nodePools", "parking:cache"})
)


@PATIENT
@given(config=st.dictionaries(KEYS | TEXT.map(lambda text: f"parking:{text}"), VALUES, max_size=12))
def test_a_random_stack_file_is_understood_or_refused_clearly(config: dict[str, Any]) -> None:
    understood(as_text(config))


@PATIENT
@given(
    key=KEYS,
    text=TEXT
    | st.sampled_from(["{", "[1,", '{"a": NaN}', "{}", "[]", "1e999", '"', "\x00", '{"a":1,"a":2}']),
)
def test_text_that_is_no_json_is_refused_clearly(key: str, text: str) -> None:
    understood(as_text({**raw("prod"), key: text}))


def test_the_stack_files_themselves_are_understood() -> None:
    for stack in STACKS:
        assert understood(as_text(raw(stack)), stack=stack) is not None


def test_refusals_are_reached() -> None:
    assert understood(as_text({**raw("prod"), "parking:role": "neither"})) is None
