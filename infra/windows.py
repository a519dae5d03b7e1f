"""Quiet hours of a region: when stores take backups and maintenance, in UTC."""

from __future__ import annotations

from dataclasses import dataclass

from infra.model.stack import Role

_QUIET_HOUR_UTC = {
    "us-east": 7,
    "us-west": 10,
    "ca-central": 7,
    "sa-east": 5,
    "eu": 2,
    "af": 1,
    "me": 0,
    "ap-south": 20,
    "ap-southeast": 17,
    "ap-northeast": 17,
}
"""UTC hour at which it is about two in the morning, by the longest matching start of a region's name."""
_DEFAULT_HOUR_UTC = 3


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Daily backup window and weekly maintenance window, apart from each other, as RDS and ElastiCache read them.

    Attributes:
        backup: `hh:mm-hh:mm` UTC, one hour.
        maintenance: `ddd:hh:mm-ddd:hh:mm` UTC, one hour, half an hour after the backup.
    """

    backup: str
    maintenance: str


def quiet_windows(*, region: str, role: Role) -> Windows:
    """Windows in a region's night.

    The secondary's maintenance comes two days before the primary's, so that a bad change meets the copy first.

    Args:
        region: AWS region, e.g. `eu-west-1`.
        role: Whether the region holds the database primary.
    """
    starts = [start for start in _QUIET_HOUR_UTC if region.startswith(f"{start}-")]
    hour = _QUIET_HOUR_UTC[max(starts, key=len)] if starts else _DEFAULT_HOUR_UTC
    day = "wed" if role is Role.PRIMARY else "mon"
    return Windows(
        backup=f"{hour:02}:00-{hour + 1:02}:00",
        maintenance=f"{day}:{hour + 1:02}:30-{day}:{hour + 2:02}:30",
    )
