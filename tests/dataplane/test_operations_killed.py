"""Failover and failback, killed before and after random calls to the cloud: the next run finishes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.ops import operations
from infra.ops.cloud import Cloud
from infra.ops.operations import Desk
from infra.ops.status import Holds
from tests.unit.ops.estates import AWAY, HEAD, HOME, Bench, bench, holds, report_lag


class Killed(BaseException):
    """Stands for a kill -9: nothing catches it, and nothing is cleaned up."""


class Dying(Cloud):
    """Dies before or after its n-th call."""

    def __init__(self, calls: int, *, after: bool) -> None:
        self.left, self.after = calls, after

    def ask(self, service: str, region: str, operation: str, **arguments: Any) -> dict[str, Any]:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        answer = super().ask(service, region, operation, **arguments)
        if self.left == 0:
            raise Killed
        return answer


def _ended(one: Bench) -> bool:
    return any('"event": "ended"' in path.read_text() for path in one.desk.journals.glob("*.jsonl"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("calls", [2, 5, 7, 10, 13, 18, 21, 25, 30, 34])
def test_a_failover_killed_anywhere_is_finished_by_the_same_command(
    tmp_path: Path,
    calls: int,
    after: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    with bench(tmp_path) as one:
        dying = replace(one.desk, cloud=Dying(calls, after=after))
        try:
            operations.failover(dying, to=AWAY)
        except Killed:
            report_lag(AWAY, 0)
            if not _ended(one):
                operations.failover(one.desk, to=AWAY)

        assert holds(one) == {HOME: Holds.FENCED, AWAY: Holds.WRITER}
        assert one.writer_name() == one.head(AWAY).address
        # The nodes were doubled once, not again by the second run.
        assert Cloud().node_groups(AWAY, "parking-prod")["application-on-demand"]["desiredSize"] == 14


@pytest.mark.parametrize("calls", [3, 17, 31, 44, 58, 73, 88, 101, 119, 136])
def test_a_failback_killed_anywhere_is_finished_by_the_same_command(tmp_path: Path, calls: int) -> None:
    with bench(tmp_path) as one:
        operations.failover(one.desk, to=AWAY)
        for region in (HOME, AWAY):
            report_lag(region, 0)
        dying: Desk = replace(one.desk, cloud=Dying(calls, after=calls % 2 == 0))
        try:
            operations.failback(dying, to=HOME)
        except Killed:
            operations.failback(one.desk, to=HOME)

        assert holds(one) == {HOME: Holds.WRITER, AWAY: Holds.REPLICA}
        home = one.head(HOME)
        followed = {server.identifier: server.source for server in Cloud().servers(AWAY, HEAD)}
        assert followed == {HEAD: home.arn, f"{HEAD}-recovery-2": home.arn, f"{HEAD}-reader-1": HEAD}
        assert {server.identifier for server in Cloud().servers(HOME, HEAD)} == {HEAD, f"{HEAD}-reader-1"}
