"""A data site for tests: three zones, two clients, keys and whom alarms tell."""

from __future__ import annotations

from typing import Any

from components.alarms import Alerting
from components.data_site import DataSite
from infra.slo.severity import Severity

SECRETS_KEY = "arn:aws:kms:us-east-1:123456789012:key/secrets"
LOG_KEY = "arn:aws:kms:us-east-1:123456789012:key/logs"
DATA_KEY = "arn:aws:kms:us-east-1:123456789012:key/data"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
URGENT_TOPIC = "arn:aws:sns:us-east-1:123456789012:urgent"
ALERTING = Alerting(
    topics={Severity.WARNING: TOPIC, Severity.CRITICAL: URGENT_TOPIC}, runbooks="https://runbooks.example"
)
_SECRET_SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""Marks a secret where the SDK hands inputs to the engine."""
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def site(*, zones: tuple[str, ...] = ZONES, alerting: Alerting | None = ALERTING) -> DataSite:
    """A site of one region."""
    return DataSite(
        vpc_id="vpc-1",
        subnet_ids=[f"subnet-{zone[-1]}" for zone in zones],
        zones=zones,
        clients={"pools": "sg-pools", "nodes": "sg-nodes"},
        monitors={"prometheus": "sg-prometheus"},
        secrets_key_arn=SECRETS_KEY,
        log_key_arn=LOG_KEY,
        alerting=alerting,
    )


def revealed(value: dict[str, Any]) -> Any:
    """What is in an input that must reach the engine as a secret; fails when it does so in clear."""
    assert isinstance(value, dict), f"in clear: {value}"
    assert _SECRET_SIGNATURE.items() <= value.items(), f"in clear: {value}"
    return value["value"]
