"""Which tags every resource carries."""

from __future__ import annotations

REQUIRED_TAGS = ("environment", "region-role", "component", "owner", "cost-centre", "managed-by")
"""Keys that every taggable resource carries."""
