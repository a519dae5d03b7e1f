"""What is billed by the piece or by what is kept: keys, secrets, alarms, images, buckets, functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from infra.cost.lines import Group, Line
from infra.cost.resource_types import PIECES
from infra.cost.subject import Priced
from infra.cost.traffic import Volume
from infra.model.stack import StackSettings

COUNTED_FILE = Path(__file__).with_name("counted.json")
ACCESS_LOG_BYTES = 500
"""A request's line in the load balancer's or CloudFront's access log."""
ACCESS_LOG_MONTHS = 3
STATIC_GB = 10
"""What the bucket of static assets holds; an assumption."""
FUNCTION_CALLS_A_MONTH, FUNCTION_GB_SECONDS = 43_800, 0.5
"""The reader scaler runs each minute, half a GB-second at a time."""
NOTIFICATIONS_A_MONTH = 10_000


@cache
def counted(path: Path = COUNTED_FILE) -> Mapping[str, Mapping[str, int]]:
    """Resources by AWS type in each stack's last recorded plan, written by `make docs`; by `kind_of` a stack."""
    return json.loads(path.read_text(encoding="utf-8"))


def kind_of(settings: StackSettings) -> str:
    """What decides which resources a stack has beyond its sizes: environment and role."""
    return f"{settings.environment.value} {settings.role.value}"


def counts_for(
    settings: StackSettings, recorded: Mapping[str, Mapping[str, int]] | None = None
) -> Mapping[str, int]:
    """Resources by AWS type of a stack: its kind's in the last recorded plan, else the most of any kind.

    Args:
        settings: The stack's settings.
        recorded: Counts by kind; default those in the repository.
    """
    known = counted() if recorded is None else recorded
    own = known.get(kind_of(settings))
    if own is not None:
        return own
    types = {token for kind in known.values() for token in kind}
    return {token: max(kind.get(token, 0) for kind in known.values()) for token in sorted(types)}


def lines(on: Priced, moved: Volume) -> Iterator[Line]:
    """Everything billed by the piece, and what registry, buckets, functions and topics take."""
    for token, piece in PIECES.items():
        count = on.counts.get(token, 0)
        if count:
            yield on.line(piece.group, piece.item, count * piece.each, piece.key)
    images = on.settings.usage.registry_gib * len(on.services)
    yield on.line(Group.STORAGE, "images in the registry", images, "ecr.gb")
    logs = moved.edge_requests * ACCESS_LOG_BYTES * ACCESS_LOG_MONTHS / 1e9
    yield on.line(Group.STORAGE, "access logs and static assets", logs + STATIC_GB, "s3.gb")
    functions = on.counts.get("aws:lambda/function:Function", 0)
    calls = functions * FUNCTION_CALLS_A_MONTH
    yield on.line(Group.DATABASE, "reader scaling, calls", calls / 1e6, "lambda.million")
    yield on.line(Group.DATABASE, "reader scaling, run time", calls * FUNCTION_GB_SECONDS, "lambda.gb_second")
    checks = on.counts.get("aws:synthetics/canary:Canary", 0)
    runs = checks * on.hours * 60 / on.settings.observability.synthetic_interval_minutes
    yield on.line(Group.OBSERVABILITY, "synthetic checks", runs, "synthetics.run")
    topics = on.counts.get("aws:sns/topic:Topic", 0)
    yield on.line(Group.OBSERVABILITY, "notifications", topics * NOTIFICATIONS_A_MONTH / 1e6, "sns.million")
    queues = on.counts.get("aws:sqs/queue:Queue", 0)
    if queues:
        yield on.line(Group.OBSERVABILITY, "queues", queues * NOTIFICATIONS_A_MONTH / 1e6, "sqs.million")
