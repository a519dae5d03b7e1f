"""Reader autoscaling over simulated hours, on moto, with faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.reader_scaling_function.fleet import Kind, Limits, Load, Reader, decide, mean_load
from components.reader_scaling_function.handler import RunFailedError
from tests.unit.components.reader_regions import (
    FIXED,
    HEAD,
    PREFIX,
    START,
    Cpu,
    Region,
    addresses,
    region_on_moto,
    throttled,
)

__all__ = ["region_on_moto"]


def test_under_the_target_nothing_changes_and_the_record_has_every_reader(region: Region) -> None:
    assert region.minutes(60, every=5) == []
    assert region.readers() == set(FIXED)
    assert region.recorded() == addresses(*FIXED)


def test_a_rising_load_brings_readers_one_at_a_time_up_to_the_maximum(region: Region) -> None:
    region.cpu.percent_of_one = 260
    assert region.minutes(1) == [Kind.CREATE]
    assert region.readers() == {*FIXED, f"{PREFIX}1"}
    assert region.minutes(30, every=5) == [], "4 readers are at 65%"
    assert f"{PREFIX}1" in region.readers()
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")

    region.cpu.percent_of_one = 900
    assert region.minutes(120, every=5) == [Kind.CREATE, Kind.CREATE]
    assert len(region.readers()) == 6


def test_additions_are_a_cooldown_apart(region: Region) -> None:
    region.cpu.percent_of_one = 900

    assert region.minutes(9) == [Kind.CREATE]
    assert region.minutes(3) == [Kind.CREATE]


def test_a_day_s_load_goes_up_and_back_to_the_program_s_readers(region: Region) -> None:
    region.cpu.percent_of_one = 400
    region.minutes(90, every=5)
    assert len(region.readers()) == 6

    region.cpu.percent_of_one = 60
    changes = region.minutes(5 * 60, every=5)
    assert region.readers() == set(FIXED)
    assert region.recorded() == addresses(*FIXED)
    assert changes == [Kind.DRAIN, Kind.DELETE] * 3


def test_a_reader_leaves_the_record_before_it_is_deleted(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200
    region.minutes(1)

    assert f"{PREFIX}1" in region.readers()
    assert region.recorded() == addresses(*FIXED)
    assert region.minutes(3) == [Kind.DELETE]


def test_a_load_that_comes_back_keeps_a_draining_reader(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200

    region.cpu.percent_of_one = 260
    assert region.minutes(2) == [Kind.KEEP]
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")


def test_readers_of_the_program_are_never_deleted(region: Region) -> None:
    region.cpu.percent_of_one = 1

    assert region.minutes(24 * 60, every=30) == []
    assert region.readers() == set(FIXED)


def test_a_reader_with_the_name_but_not_the_tag_is_not_touched(region: Region) -> None:
    region.rds.create_db_instance_read_replica(
        DBInstanceIdentifier=f"{PREFIX}9", SourceDBInstanceIdentifier=HEAD
    )
    region.cpu.percent_of_one = 1

    assert region.minutes(120, every=10) == []
    assert f"{PREFIX}9" in region.readers()
    assert region.recorded() == addresses(*FIXED)


def test_a_reader_is_in_the_record_only_once_it_is_available(region: Region) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(1)
    region.put(f"{PREFIX}1", "creating", created=region.now)

    assert region.minutes(5) == [], "one change at a time"
    assert region.recorded() == addresses(*FIXED)
    region.put(f"{PREFIX}1", "available")
    region.minutes(1)
    assert region.recorded() == addresses(*FIXED, f"{PREFIX}1")


def test_a_reader_that_never_comes_up_is_given_up_and_counted(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(1)
    region.put(f"{PREFIX}1", "creating", created=region.now)
    region.minutes(55, every=5)
    region.minutes(4)
    assert "StuckReaders" in capsys.readouterr().out
    assert f"{PREFIX}1" in region.readers()

    assert region.minutes(2)[0] is Kind.DELETE
    line = next(
        json.loads(one)
        for one in capsys.readouterr().out.splitlines()
        if '"run"' in one and '"StuckReaders": 1' in one
    )
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Parking/Database"


def test_a_lost_reader_leaves_the_record(region: Region) -> None:
    region.minutes(1)
    region.put(FIXED[1], "failed")
    region.minutes(1)

    assert region.recorded() == addresses(FIXED[0], FIXED[2])


def test_the_record_is_never_emptied(region: Region) -> None:
    region.minutes(1)
    for identifier in FIXED:
        region.put(identifier, "failed")
    region.minutes(1)

    assert region.recorded() == addresses(*FIXED)


def test_without_load_figures_nothing_changes_but_the_record_does(region: Region) -> None:
    region.cpu.fails = True
    with pytest.raises(RunFailedError, match="load"):
        region.run()

    assert region.recorded() == addresses(*FIXED)
    assert region.readers() == set(FIXED)
    region.cpu = Cpu(percent_of_one=260)
    assert region.minutes(1) == [Kind.CREATE]


def test_a_refused_creation_is_taken_up_by_the_next_run(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.cpu.percent_of_one = 260

    def refuse(**_: Any) -> None:
        raise throttled("CreateDBInstanceReadReplica")

    with monkeypatch.context() as patched:
        patched.setattr(region.rds, "create_db_instance_read_replica", refuse)
        with pytest.raises(RunFailedError, match="change"):
            region.run()
    assert region.minutes(1) == [Kind.CREATE]


def test_two_runs_at_once_make_one_reader(region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    region.cpu.percent_of_one = 260
    make = region.rds.create_db_instance_read_replica

    def twice(**asked: Any) -> None:
        make(**asked)
        make(**asked)

    monkeypatch.setattr(region.rds, "create_db_instance_read_replica", twice)
    assert region.minutes(1) == [Kind.CREATE]
    assert region.readers() == {*FIXED, f"{PREFIX}1"}


def test_nothing_is_deleted_while_the_record_cannot_be_changed(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    region.cpu.percent_of_one = 260
    region.minutes(2)
    region.cpu.percent_of_one = 60
    while region.minutes(5, every=5) != [Kind.DRAIN]:
        assert region.now < START + 7200

    def refuse(**_: Any) -> None:
        raise throttled("ChangeResourceRecordSets", "PriorRequestNotComplete")

    with monkeypatch.context() as patched:
        patched.setattr(region.route53, "change_resource_record_sets", refuse)
        for _ in range(10):
            with pytest.raises(RunFailedError, match="record"):
                region.run()
    assert f"{PREFIX}1" in region.readers()
    region.minutes(1)
    assert region.readers() == set(FIXED)


def reader(identifier: str, **changes: Any) -> Reader:
    known: dict[str, Any] = {
        "status": "available",
        "address": identifier,
        "own": False,
        "created": 0.0,
        **changes,
    }
    return Reader(identifier=identifier, **known)


@pytest.mark.parametrize(
    ("percent", "expected"), [(70.0, Kind.NOTHING), (70.1, Kind.CREATE), (100.0, Kind.CREATE)]
)
def test_the_target_is_70_percent(percent: float, expected: Kind) -> None:
    change = decide(
        [reader("a"), reader("b"), reader("c")],
        load=Load(now=percent, lately=percent),
        limits=Limits(minimum=3, maximum=6),
        prefix="x-",
        last_change=0,
        now=10_000,
    )

    assert change.kind is expected


def test_a_mean_is_over_readers_that_have_figures() -> None:
    load = mean_load({"a": [90, 90, 10, 10], "b": [50, 50, 50, 50], "new": []}, recent=2)

    assert (load.now, load.lately) == (70, 50)
    assert mean_load({"new": []}, recent=2) == Load(now=None, lately=None)
