"""Whether what is kept in Redis fits."""

from __future__ import annotations

from infra.data.cache_memory import needed_bytes, offered_bytes, working_set_bytes
from infra.model.service import CacheTtl
from infra.model.stack import CachesSettings
from services import CATALOGUE
from tests.unit.stack_files import problems


def test_entries_live_as_long_as_their_ttl() -> None:
    entry = CacheTtl(entry="x", ttl_seconds=60, writes_per_second=2, distinct=1000, entry_bytes=900)

    assert working_set_bytes(entry) == 120 * 1000


def test_there_are_never_more_than_different_ones() -> None:
    entry = CacheTtl(entry="x", ttl_seconds=3600, writes_per_second=2, distinct=10, entry_bytes=900)

    assert working_set_bytes(entry) == 10 * 1000


def test_only_masters_offer_memory_and_a_quarter_is_reserved() -> None:
    assert offered_bytes(CachesSettings().cache) == int(26.32 * 3 * 0.75 * 2**30)


def test_the_specification_s_stores_hold_everything() -> None:
    caches = CachesSettings()

    assert 0 < needed_bytes(CATALOGUE, store="cache") < offered_bytes(caches.cache)
    assert 0 < needed_bytes(CATALOGUE, store="sessions") < offered_bytes(caches.sessions)


def test_a_store_that_is_too_small_is_refused() -> None:
    found = problems("prod", caches__cache__nodeType="cache.t4g.small", caches__cache__shards=1)

    assert "parking:caches.cache.nodeType" in str(found)
