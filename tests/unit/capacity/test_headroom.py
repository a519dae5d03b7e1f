"""Head-room: every limit once, what is needed beside what is offered, the tightest first."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from infra.capacity.headroom import HeadRoom, Kind, head_rooms, tightest
from services import CATALOGUE
from tests.unit.stack_files import STACKS, load


def room(needed: float, offered: float) -> HeadRoom:
    return HeadRoom(
        kind=Kind.PODS, what="auth", needed=needed, offered=offered, unit="pods", by="everything at once"
    )


def found(stack: str) -> dict[str, HeadRoom]:
    rooms = head_rooms(load(stack), catalogue=CATALOGUE)
    assert max(Counter((each.kind, each.what) for each in rooms).values()) == 1
    return {f"{each.what} {each.kind.value}": each for each in rooms}


def test_head_room_is_how_many_times_the_need_is_offered() -> None:
    assert (room(20, 50).factor, room(20, 50).used) == (2.5, 0.4)
    assert room(0, 50).factor == math.inf
    assert room(60, 50).used > 1
    assert str(room(20, 50)) == "auth pods: 20 of 50 pods (2.50 times the need)"


def test_the_writer_s_connections_are_the_budget_of_all_pools_of_both_regions() -> None:
    writer = found("prod")["PostgreSQL writer connections"]

    # 500 connections less 50 reserved. Four services write, each pool has 20 servers in every pod of PgBouncer:
    # two pods in each of two regions, and one more while one is replaced.
    assert (writer.needed, writer.offered) == (4 * 20 * 5, 450)


def test_addresses_are_counted_with_every_pool_at_its_maximum() -> None:
    addresses = found("prod")["VPC addresses"]

    # Three /19s less five addresses each; a node of 110 pods takes 8 prefixes and itself, one of 250 pods 17.
    assert addresses.offered == 3 * (8192 - 5)
    assert addresses.needed == (50 + 10 + 4) * (8 * 16 + 1) + 20 * (17 * 16 + 1)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_holds_every_limit_and_every_kind_is_looked_at(stack: str) -> None:
    rooms = found(stack)

    assert {each.kind for each in rooms.values()} == set(Kind)
    assert all(each.factor >= 1 for each in rooms.values())


def test_the_tightest_is_the_one_that_is_met_first() -> None:
    assert tightest([room(1, 5), room(4, 5), room(2, 5)]) == room(4, 5)
    assert tightest(head_rooms(load("prod"), catalogue=CATALOGUE)).what == "PostgreSQL writer"
