"""Reader autoscaling when AWS fails it: every call, refused and unanswered; two runs at once; a stuck reader."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from components.reader_scaling_function.fleet import Kind
from components.reader_scaling_function.handler import RunFailedError
from tests.unit.components.reader_regions import (
    FIXED,
    PREFIX,
    Region,
    addresses,
    region_on_moto,
    throttled,
)

__all__ = ["region_on_moto"]

CALLS = (
    "describe_db_instances",
    "list_resource_record_sets",
    "change_resource_record_sets",
    "get_metric_data",
    "get_parameter",
    "put_parameter",
    "create_db_instance_read_replica",
    "add_tags_to_resource",
    "remove_tags_from_resource",
    "delete_db_instance",
)
OWN = f"{PREFIX}1"
STEP = 5
"""Minutes between two runs where nothing is expected sooner."""


class Fault:
    """Fails the first calls of one kind.

    Args:
        call: Which.
        error: How.
        times: How often.
        done: Whether AWS does it all the same, and only the answer is lost.
    """

    def __init__(self, call: str, error: Callable[[str], Exception], *, times: int, done: bool) -> None:
        self._call, self._error, self._times, self._done = call, error, times, done
        self.fired = 0
        self.made = Counter[str]()

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        self.made[name] += 1
        if name != self._call or self.fired == self._times:
            return call()
        self.fired += 1
        if self._done:
            call()
        raise self._error(name)


def minute(region: Region, *, minutes: int = 1) -> Kind | None:
    """One run; none: it failed, and said so. What clients see is right after every run, failed or not."""
    kind = None
    with contextlib.suppress(RunFailedError):
        change = region.run(seconds=60 * minutes)
        kind = change.kind if change else None
    there = region.readers()
    assert set(FIXED) <= there <= {*FIXED, OWN}, "one reader is enough for this load"
    assert region.recorded() <= addresses(*there), "a name for a reader that is gone"
    return kind


def until_recorded(region: Region, *identifiers: str, within: int, step: int = 1) -> None:
    """Run until the record has the program's readers and these."""
    for _ in range(0, within, step):
        minute(region, minutes=step)
        if region.recorded() == addresses(*FIXED, *identifiers):
            return
    raise AssertionError(f"the record has no {identifiers} within {within} minutes, but {region.recorded()}")


def quiet(region: Region, *, minutes: int) -> None:
    """Some time in which a removal cools down."""
    for _ in range(0, minutes, STEP):
        assert minute(region, minutes=STEP) in {Kind.NOTHING, None}


def up_and_down(region: Region) -> None:
    """A rush, the end of it, a short second one while the reader leaves, and the night."""
    region.cpu.percent_of_one = 260
    until_recorded(region, OWN, within=10)
    region.cpu.percent_of_one = 60
    quiet(region, minutes=25)
    until_recorded(region, within=15)
    assert region.readers() == {*FIXED, OWN}, "not before it has drained"
    region.cpu.percent_of_one = 260
    until_recorded(region, OWN, within=10)
    region.cpu.percent_of_one = 60
    until_recorded(region, within=90, step=STEP)
    for _ in range(6):
        minute(region)
    assert region.readers() == set(FIXED)
    assert region.recorded() == addresses(*FIXED)


def test_these_are_all_the_calls_that_it_makes(region: Region) -> None:
    region.between = fault = Fault("none", throttled, times=0, done=False)
    up_and_down(region)

    assert set(fault.made) == set(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_throttled_three_times_changes_nothing_in_the_end(region: Region, call: str) -> None:
    region.between = fault = Fault(call, throttled, times=3, done=False)
    up_and_down(region)

    assert fault.fired == 3
    # Each is a failed run, which the alarm counts.
    assert region.failed == 3
    assert fault.made["create_db_instance_read_replica"] == 1 + (
        3 if call == "create_db_instance_read_replica" else 0
    )


@pytest.mark.parametrize("call", CALLS)
def test_a_call_whose_answer_is_lost_changes_nothing_in_the_end(region: Region, call: str) -> None:
    def lost(name: str) -> Exception:
        return ReadTimeoutError(endpoint_url=f"https://{name}")

    region.between = fault = Fault(call, lost, times=1, done=True)
    up_and_down(region)

    assert fault.fired == 1
    assert fault.made["create_db_instance_read_replica"] == 1


def test_a_forgotten_change_still_cools_down(region: Region) -> None:
    """PutParameter fails for good: without the time of the last change, the reader's own tells it."""
    region.between = Fault("put_parameter", throttled, times=1000, done=False)
    region.cpu.percent_of_one = 900
    made: list[float] = []
    for _ in range(25):
        before = region.readers()
        with contextlib.suppress(RunFailedError):
            region.run()
        if region.readers() != before:
            made.append(region.now)

    assert len(made) >= 2
    assert min(later - earlier for earlier, later in itertools.pairwise(made)) >= 600


@pytest.mark.parametrize("moment", ["create", "drain", "delete"])
def test_two_runs_at_once_do_a_thing_once(region: Region, moment: str) -> None:
    """A second run goes from start to end between any two calls of the first."""
    place, came = 0, True
    while came:
        place += 1
        bring_to(region, moment)
        visitor = Visitor(region, place)
        region.between = visitor
        with contextlib.suppress(RunFailedError):
            region.run()
        region.between = straight
        assert set(FIXED) <= region.readers() <= {*FIXED, OWN}, f"before call {place}"
        minute(region)
        stays = () if moment == "delete" else (OWN,)
        assert region.readers() == {*FIXED, *stays}, f"before call {place}"
        assert region.recorded() == addresses(*FIXED, *(stays if moment == "create" else ()))
        came = visitor.came
    assert place > 4, "it makes as many calls in any case"


def straight(_: str, call: Callable[[], Any]) -> Any:
    """Nothing stands between."""
    return call()


class Visitor:
    """Another run, from start to end, before one of a run's calls."""

    def __init__(self, region: Region, place: int) -> None:
        self._region, self._left, self.came = region, place, False

    def __call__(self, _: str, call: Callable[[], Any]) -> Any:
        self._left -= 1
        if self._left == 0:
            self.came = True
            self._region.between = straight
            self._region.run(seconds=0)
        return call()


def bring_to(region: Region, moment: str) -> None:
    """To the minute before the change, from any state."""
    region.between = straight
    region.cpu.percent_of_one = 60
    until_recorded(region, within=90, step=STEP)
    # Deleted, and no change for so long that any may come.
    for _ in range(2):
        minute(region, minutes=40)
    region.cpu.percent_of_one = 260
    if moment == "create":
        return
    until_recorded(region, OWN, within=5)
    region.cpu.percent_of_one = 60
    if moment == "drain":
        region.now += 3600
        return
    until_recorded(region, within=90, step=STEP)
    region.now += 60


def test_a_stuck_reader_is_given_up_though_its_deletion_is_refused_at_first(region: Region) -> None:
    region.cpu.percent_of_one = 260
    assert minute(region) is Kind.CREATE
    region.put(OWN, "creating", created=region.now)
    region.between = fault = Fault("delete_db_instance", throttled, times=3, done=False)
    for _ in range(11):
        assert minute(region, minutes=STEP) is Kind.NOTHING, "one change at a time"
    minute(region, minutes=STEP)
    for _ in range(3):
        minute(region)
    assert fault.fired == 3
    assert region.readers() == set(FIXED)

    until_recorded(region, OWN, within=15)
