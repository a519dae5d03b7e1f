"""Quiet hours of a region: when stores take backups and maintenance, in UTC."""

from __future__ import annotations

from dataclasses import dataclass

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
_DAYS = ("mon", "tue", "wed", "thu", "sun")


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Daily backup window and weekly maintenance window, apart from each other, as RDS and ElastiCache read them.

    Attributes:
        backup: `hh:mm-hh:mm` UTC, one hour.
        maintenance: `ddd:hh:mm-ddd:hh:mm` UTC, one hour, half an hour after the backup.
    """

    backup: str
    maintenance: str


def quiet_windows(*, region: str) -> Windows:
    """Windows in a region's night.

    The weekday follows from the region's name, so that regions differ where they can and a change of role, which
    must touch as little as possible, moves no window.

    Args:
        region: AWS region, e.g. `eu-west-1`.
    """
    starts = [start for start in _QUIET_HOUR_UTC if region.startswith(f"{start}-")]
    hour = _QUIET_HOUR_UTC[max(starts, key=len)] if starts else _DEFAULT_HOUR_UTC
    day = _DAYS[sum(region.encode()) % len(_DAYS)]
    return Windows(
        backup=f"{hour:02}:00-{hour + 1:02}:00",
        maintenance=f"{day}:{hour + 1:02}:30-{day}:{hour + 2:02}:30",
    )
