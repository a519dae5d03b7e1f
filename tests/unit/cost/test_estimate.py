"""Bills, against arithmetic done by hand from the public prices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.cost import nodes, specification, stores, traffic
from infra.cost.lines import Bill, Group, Level
from tests.unit.cost.subjects import estimated, priced, usd_of
from tests.unit.stack_files import STACKS

HOURS = 730


def bill_of(*lines: object, level: Level = Level.AVERAGE) -> Bill:
    return Bill(level=level, lines=tuple(lines))  # pyright: ignore[reportArgumentType] - lines of the modules


def test_a_control_plane_costs_ten_cents_an_hour_and_a_tier_comes_on_top() -> None:
    standard = bill_of(*nodes.lines(priced()))
    larger = bill_of(*nodes.lines(priced(cluster__scalingTier="tier-xl")))

    assert standard.of(Group.CONTROL_PLANE) == pytest.approx(0.10 * HOURS)
    assert larger.of(Group.CONTROL_PLANE) == pytest.approx((0.10 + 1.65) * HOURS)


def test_nodes_of_an_average_month_are_the_sum_done_by_hand() -> None:
    bill = bill_of(*nodes.lines(priced()))

    # Application: 10 x c5.4xlarge at 0.68, of which 3 spot (60% off), 4 reserved (37% off), 3 by the hour.
    application = 0.68 * HOURS * (3 + 4 * 0.63 + 3 * 0.40)
    # Database: 3 x r5.2xlarge at 0.504, 1 reserved. Analytics: 2 x c5.9xlarge at 1.53, both reserved.
    database, analytics = 0.504 * HOURS * (2 + 0.63), 1.53 * HOURS * 2 * 0.63
    # 15 disks of 100 GiB at 0.08.
    assert bill.of(Group.NODES) == pytest.approx(application + database + analytics + 15 * 100 * 0.08)
    assert bill.of(Group.NODES) == pytest.approx(5830.7, abs=0.1)


def test_nodes_without_discounts_cost_about_what_the_specification_says() -> None:
    listed = bill_of(*nodes.lines(priced(purchasing__reservedShare=0.0, purchasing__spotDiscount=0.0)))

    # 10 x 496.40 + 3 x 367.92 + 2 x 1,116.90 + 120 for disks.
    assert listed.of(Group.NODES) == pytest.approx(8421.56)
    assert listed.of(Group.NODES) == pytest.approx(8500, rel=0.02)


def test_the_writer_is_paid_twice_with_its_standby_and_readers_once() -> None:
    bill = bill_of(*stores.database_lines(priced(purchasing__reservedShare=0.0)))

    assert usd_of(bill, "writer db.r6g.2xlarge") == pytest.approx(0.899 * HOURS * 2)
    assert usd_of(bill, "readers db.r6g.xlarge") == pytest.approx(0.45 * HOURS * 3)
    assert usd_of(bill, "writer storage") == pytest.approx(1024 * 0.115 * 2)
    assert usd_of(bill, "readers storage") == pytest.approx(1024 * 0.115 * 3)
    # Striped gp3 includes 12,000 IOPS and 500 MiB/s; the standby has them too.
    assert usd_of(bill, "writer IOPS") == pytest.approx(4000 * 0.02 * 2)
    assert usd_of(bill, "writer MiB/s") == pytest.approx(500 * 0.08 * 2)


def test_a_secondary_pays_for_recovery_replicas_of_which_the_first_has_a_standby() -> None:
    bill = bill_of(*stores.database_lines(priced("prod-eu-west-1", purchasing__reservedShare=0.0)))

    assert usd_of(bill, "recovery replica 1 db.r6g.2xlarge, Multi-AZ") == pytest.approx(
        0.899 * 1.11 * HOURS * 2
    )
    assert usd_of(bill, "further recovery replicas db.r6g.2xlarge") == pytest.approx(0.899 * 1.11 * HOURS)


def test_small_databases_have_neither_iops_nor_throughput_to_pay() -> None:
    bill = bill_of(*stores.database_lines(priced("staging")))

    assert not [line for line in bill.lines if "IOPS" in line.item or "MiB/s" in line.item]


def test_redis_and_kafka_are_nodes_by_the_hour_and_broker_volumes() -> None:
    caches = bill_of(*stores.cache_lines(priced(purchasing__reservedShare=0.0)))
    kafka = bill_of(*stores.streaming_lines(priced()))

    assert caches.total == pytest.approx(HOURS * (6 * 0.3288 + 3 * 0.1648 + 3 * 0.1192))
    assert kafka.total == pytest.approx(HOURS * 3 * 0.84 + 3 * 1024 * 0.10)


def test_half_of_redis_is_reserved_dearest_nodes_first() -> None:
    caches = bill_of(*stores.cache_lines(priced()))

    assert usd_of(caches, "cache cache.r6g.xlarge, reserved") == pytest.approx(HOURS * 6 * 0.3288 * 0.68)


def test_backups_within_the_servers_storage_are_free_and_snapshots_of_redis_are_not() -> None:
    bill = bill_of(*stores.backup_lines(priced()))
    much = bill_of(*stores.backup_lines(priced(usage__writtenPercentADay=50.0)))

    assert usd_of(bill, "database backups") == 0
    # 1,024 GiB and 14 days of half of it each, beyond the 4,096 that the four servers have.
    assert usd_of(much, "database backups") == pytest.approx((1024 * 8 - 4 * 1024) * 0.095)
    assert usd_of(bill, "Redis snapshots") == pytest.approx(3 * 26.32 * 7 * 0.085)


def test_a_vault_holds_the_storage_once_and_each_day_s_changes_in_both_regions() -> None:
    counts = {stores.VAULT: 1}
    primary = bill_of(*stores.backup_lines(replace(priced(), counts=counts)))
    secondary = bill_of(*stores.backup_lines(replace(priced("prod-eu-west-1"), counts=counts)))
    on = replace(priced(), counts=counts)
    copying = bill_of(*traffic.transfer_lines(on, traffic.volume(on)))

    # 35 days of 2% each.
    assert usd_of(primary, "backups in the vault") == pytest.approx(1024 * (1 + 0.02 * 35) * 0.095)
    assert usd_of(secondary, "copies in the vault") == pytest.approx(1024 * 1.7 * 0.095 * 1.11)
    # 2% of 1,024 GiB each day crosses to the other region.
    assert usd_of(copying, "copies of backups") == pytest.approx(1024 * 0.02 * 365 / 12 * 1.073741824 * 0.02)


def test_traffic_lines_follow_from_the_volumes_by_hand() -> None:
    on = priced()
    moved = traffic.volume(on)
    balancing = bill_of(*traffic.balancing_lines(on, moved))
    transfer = bill_of(*traffic.transfer_lines(on, moved))

    assert moved.transactions == pytest.approx(1_000_000 * 365 / 12)
    assert usd_of(balancing, "Load balancer") == pytest.approx(
        HOURS * (0.0225 + 0.008 * traffic.capacity_units(on, moved))
    )
    assert usd_of(balancing, "CloudFront requests") == pytest.approx(moved.edge_requests / 1e4 * 0.01)
    assert usd_of(balancing, "CloudFront transfer") == pytest.approx((moved.viewer_gb - 1000) * 0.085)
    assert usd_of(balancing, "Web ACL requests") == pytest.approx(
        (moved.requests + moved.edge_requests) / 1e6 * 0.60
    )
    # Three services decide over the region; each of their checks has three options, the calculated one none.
    assert usd_of(balancing, "DNS health checks") + usd_of(balancing, "options of DNS") == pytest.approx(
        3 * 3.50 + 0.50
    )
    assert usd_of(transfer, "between zones") == pytest.approx(moved.internal_gb * 2 / 3 * 2 * 0.01)
    # 24 KiB of WAL for each transaction, to two recovery replicas.
    assert usd_of(transfer, "to another region") == pytest.approx(
        moved.transactions * 24 * 1024 / 1e9 * 2 * 0.02
    )


def test_egress_is_billed_by_tier() -> None:
    # 1M transactions a day of 2,048 KiB: 63,793 GB, of which 10,000 at 0.09, 40,000 at 0.085, the rest at 0.07.
    on = priced(usage__outgoingKibPerTransaction=2048.0)
    bill = bill_of(*traffic.transfer_lines(on, traffic.volume(on)))

    gb = 1_000_000 * 365 / 12 * 2048 * 1024 / 1e9
    assert usd_of(bill, "to the internet") == pytest.approx(900 + 3400 + (gb - 50_000) * 0.07)


def test_one_nat_gateway_and_fewer_endpoints_cost_less() -> None:
    prod, staging = (bill_of(*traffic.network_lines(priced(stack))) for stack in ("prod", "staging"))

    assert prod.total == pytest.approx(HOURS * (3 * 0.045 + 6 * 3 * 0.01 + 6 * 0.005))
    assert staging.total == pytest.approx(HOURS * (0.045 + 3 * 3 * 0.01 + 4 * 0.005))


@pytest.mark.parametrize("stack", STACKS)
def test_a_bill_grows_with_its_level_and_its_groups_add_up(stack: str) -> None:
    found = estimated(stack)
    totals = [found.bills[level].total for level in Level]

    assert totals == sorted(totals)
    assert totals[0] < totals[-1]
    for bill in found.bills.values():
        assert sum(bill.by_group().values()) == pytest.approx(bill.total)
        assert all(line.quantity >= 0 and line.unit_usd > 0 for line in bill.lines)


def test_every_stack_file_is_within_its_budget() -> None:
    for stack in STACKS:
        found = estimated(stack)
        assert found.average.total <= found.budget, stack


def test_a_user_and_a_transaction_cost_the_total_over_their_number() -> None:
    found = estimated()
    total = found.average.total

    assert found.per_user == pytest.approx(total / 10_000)
    assert found.per_transaction(specification.MONTHLY_TRANSACTIONS) == pytest.approx(total / 1_000_000)
    assert found.per_transaction() == pytest.approx(total / (1_000_000 * 365 / 12))


def test_the_specification_s_bill_is_beside_ours_line_by_line() -> None:
    settings, found = priced().settings, estimated()
    lines = specification.compare(settings, found)

    assert {line.name: line.asked for line in lines} == {
        "EKS cluster": 2200,
        "Worker nodes": 8500,
        "RDS (primary and replicas)": 3200,
        "Redis cluster": 1800,
        "Load balancers": 600,
        "Data transfer": 800,
        "Not in its bill": None,
    }
    assert sum(line.asked or 0 for line in lines) == specification.TOTAL_USD
    assert sum(line.built for line in lines) == pytest.approx(found.average.total)
    assert pytest.approx(specification.TOTAL_USD / 10_000) == specification.PER_USER_USD
    assert pytest.approx(specification.TOTAL_USD / 1_000_000) == specification.PER_TRANSACTION_USD


def test_the_words_about_a_difference_are_made_of_its_numbers() -> None:
    settings, found = priced().settings, estimated()
    why = {line.name: line.why for line in specification.compare(settings, found)}
    larger = estimated(nodePools__application__desiredSize=14, budget__monthlyUsd=30_000)
    why_larger = {line.name: line.why for line in specification.compare(settings, larger)}

    assert "three c5.2xlarge masters alone would be 745" in why["EKS cluster"]
    assert (
        "15 nodes on an average day: 3 spot (30% of the pool that has spot, 20% of all), 7 reserved"
        in (why["Worker nodes"])
    )
    assert "19 nodes on an average day: 4 spot (29% of the pool" in why_larger["Worker nodes"]
    assert "Kafka 2,147" in why["Not in its bill"]


@pytest.mark.parametrize("level", Level)
def test_spot_is_at_most_30_percent_of_its_pool_at_every_level(level: Level) -> None:
    shares = nodes.shares(priced(level=level))

    assert shares.pool_spot_share <= specification.SPOT_SHARE
    # As near as whole nodes allow.
    assert (shares.spot + 1) / shares.spot_pool_nodes > specification.SPOT_SHARE


def test_half_of_an_average_month_s_nodes_are_reserved_as_near_as_whole_nodes_allow() -> None:
    shares = nodes.shares(priced())

    assert shares.reserved_share <= specification.RESERVED_SHARE
    assert (shares.reserved + 1) / shares.nodes > specification.RESERVED_SHARE
