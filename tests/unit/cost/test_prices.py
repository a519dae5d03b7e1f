"""The price table: complete for what settings may name, dated and sourced."""

from __future__ import annotations

import pytest

from infra.cost import prices
from infra.cost.prices import UnknownPriceError
from infra.cost.resource_types import FREE, PIECES, PRICED, unpriced
from infra.instances import BROKER_TYPES, CACHE_NODE_GIB, DATABASE_CLASSES, NODE_TYPES

TABLE = prices.load()


@pytest.mark.parametrize(
    "keys",
    [
        [f"ec2.{name}" for name in NODE_TYPES],
        [name.replace("db.", "rds.", 1) for name in DATABASE_CLASSES],
        list(CACHE_NODE_GIB),
        [name.replace("kafka.", "msk.", 1) for name in BROKER_TYPES],
        [f"eks.{tier}" for tier in ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")],
    ],
    ids=["nodes", "databases", "caches", "brokers", "control planes"],
)
def test_everything_that_a_stack_file_may_name_has_a_price(keys: list[str]) -> None:
    assert [key for key in keys if key not in TABLE.prices] == []


def test_every_price_has_a_source_with_a_date_and_no_source_is_idle() -> None:
    used = {price.source for price in TABLE.prices.values()}

    assert used == set(TABLE.sources)
    assert all(source.as_of <= TABLE.dated for source in TABLE.sources.values())


def test_a_region_s_factor_scales_what_depends_on_the_region_only() -> None:
    assert TABLE.usd("nat.hour", region="eu-west-1") == pytest.approx(0.045 * 1.11)
    assert TABLE.usd("kms.key", region="eu-west-1") == 1
    assert TABLE.usd("nat.hour", region="us-west-2") == 0.045


def test_a_region_that_is_not_known_counts_as_the_dearest_that_is() -> None:
    assert TABLE.factor("sa-east-1") == max(TABLE.region_factors.values())


def test_an_exact_price_of_a_region_wins_over_its_factor() -> None:
    exact = TABLE.prices["nat.hour"].model_copy(update={"usd": 0.048})
    table = TABLE.model_copy(update={"regional": {"eu-west-1": {"nat.hour": exact}}})

    assert table.usd("nat.hour", region="eu-west-1") == 0.048
    assert table.source_of("nat.hour", region="eu-west-1").what


def test_a_price_that_is_missing_is_named() -> None:
    with pytest.raises(UnknownPriceError, match=r"no price for 'ec2\.z1\.large'"):
        TABLE.usd("ec2.z1.large", region="us-east-1")


def test_every_type_is_priced_by_keys_that_exist_or_is_free_for_a_reason() -> None:
    missing = [
        (token, key)
        for token, keys in PRICED.items()
        for key in keys
        if not any(known == key or (key.endswith(".") and known.startswith(key)) for known in TABLE.prices)
    ]

    assert missing == []
    assert set(PRICED) & set(FREE) == set()
    assert all(FREE.values())
    assert all(piece.key in TABLE.prices for piece in PIECES.values())


def test_a_type_that_nobody_knows_is_found() -> None:
    assert unpriced(["aws:ec2/vpc:Vpc", "aws:quantum/computer:Computer", "kubernetes:core/v1:Secret"]) == [
        "aws:quantum/computer:Computer"
    ]
