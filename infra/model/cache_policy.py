"""Level 3 of the caching strategy: how long results of database queries may be reused.

Source: specification, "Caching Strategy", level 3. Level 1 is per service (`Service.application_cache`),
level 2 belongs to the edge.
"""

from infra.model.service import CacheTtl

QUERY_CACHE: tuple[CacheTtl, ...] = (
    CacheTtl(entry="frequently-accessed-queries", ttl_seconds=900, writes_per_second=50, entry_bytes=8192),
    CacheTtl(
        entry="statistics-queries", ttl_seconds=300, writes_per_second=5, distinct=10_000, entry_bytes=32_768
    ),
    CacheTtl(entry="location-based-queries", ttl_seconds=1800, writes_per_second=20, entry_bytes=8192),
)
"""Delivered to every service that uses the database."""
