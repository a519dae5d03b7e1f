"""Regions, zones and the fixed numbers AWS publishes for each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

ACCOUNT: Final = "123456789012"
DEFAULT_REGION: Final = "us-east-1"

# Zone letters and the short form zone ids use. Zone ids map to letters per account; a stand-in keeps them in order.
_ZONES: Final[Mapping[str, tuple[str, str]]] = {
    "us-east-1": ("abcdef", "use1"),
    "us-east-2": ("abc", "use2"),
    "us-west-1": ("ac", "usw1"),
    "us-west-2": ("abcd", "usw2"),
    "eu-west-1": ("abc", "euw1"),
    "eu-west-2": ("abc", "euw2"),
    "eu-west-3": ("abc", "euw3"),
    "eu-central-1": ("abc", "euc1"),
    "eu-north-1": ("abc", "eun1"),
    "ap-southeast-1": ("abc", "apse1"),
    "ap-southeast-2": ("abc", "apse2"),
    "ap-northeast-1": ("acd", "apne1"),
    "ap-south-1": ("abc", "aps1"),
    "ca-central-1": ("abd", "cac1"),
    "sa-east-1": ("abc", "sae1"),
}
# Hosted zones of load balancers, of S3 websites and of the accounts that write load balancer logs, by region.
_ELB: Final[Mapping[str, tuple[str, str]]] = {
    "us-east-1": ("Z35SXDOTRQ7X7K", "127311923021"),
    "us-east-2": ("Z3AADJGX6KTTL2", "033677994240"),
    "us-west-1": ("Z368ELLRRE2KJ0", "027434742980"),
    "us-west-2": ("Z1H1FL5HABSF5", "797873946194"),
    "eu-west-1": ("Z32O12XQLNTSW2", "156460612806"),
    "eu-west-2": ("ZHURV8PSTC4K8", "652711504416"),
    "eu-west-3": ("Z3Q77PNBQS71R4", "009996457667"),
    "eu-central-1": ("Z215JYRZR1TBD5", "054676820928"),
    "eu-north-1": ("Z23TAZ6LKFMNIO", "897822967062"),
    "ap-southeast-1": ("Z1LMS91P8CMLE5", "114774131450"),
    "ap-southeast-2": ("Z1GM3OXH4ZPM65", "783225319266"),
    "ap-northeast-1": ("Z14GRHDCWA56QT", "582318560864"),
    "ap-south-1": ("ZP97RAFLXTNZK", "718504428378"),
    "ca-central-1": ("ZQSVJUPU6J1EY", "985666609251"),
    "sa-east-1": ("Z2P70J7HTTTPLU", "507241528517"),
}
_S3: Final[Mapping[str, str]] = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "eu-central-1": "Z21DNDUVLTQW6Q",
}


def zones(region: str) -> list[str]:
    """List a region's availability zones."""
    return [region + letter for letter in _ZONES.get(region, ("abc", ""))[0]]


def zone_id(zone: str) -> str:
    """Return the id of a zone."""
    region, letter = zone[:-1], zone[-1:]
    letters, prefix = _ZONES.get(region, ("abc", ""))
    if not prefix:
        area, direction, number = [*region.split("-"), "", ""][:3]
        prefix = f"{area}{direction[:1]}{number}"
    return f"{prefix}-az{letters.find(letter) + 1 or 1}"


def zone_names_known(region: str) -> bool:
    """Whether the zones of a region are known here rather than assumed."""
    return region in _ZONES


def elb_zone(region: str) -> str:
    """Return the hosted zone of a region's load balancers."""
    return _ELB.get(region, ("Z" + hashlib.sha256(region.encode()).hexdigest()[:13].upper(), ""))[0]


def elb_account(region: str) -> str:
    """Return the account that delivers a region's load balancer logs."""
    return _ELB.get(region, ("", "127311923021"))[1]


def s3_zone(region: str) -> str:
    """Return the hosted zone of a region's S3 websites."""
    return _S3.get(region, "Z" + hashlib.sha256(("s3" + region).encode()).hexdigest()[:13].upper())


def cache_region(region: str) -> str:
    """Shorten a region as ElastiCache endpoints do: `us-east-1` is `use1`."""
    return zone_id(region + "a").split("-")[0]
