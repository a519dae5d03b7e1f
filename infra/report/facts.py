"""Everything the report says of a stack, as data: what `--json` prints and the page shows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra import settings as stack_settings
from infra.capacity import Stage, plan
from infra.capacity.headroom import HeadRoom, head_rooms, tightest
from infra.catalogue import resolve
from infra.cost import specification
from infra.cost.estimate import Estimate, estimate
from infra.cost.lines import Group, Level, Line
from infra.diagram.boxes import is_held, picture
from infra.diagram.graph import Graph
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.recovery import Objective, objectives
from infra.report.curves import Curves, curves
from infra.report.deviations import deviations
from infra.slo.objectives import slo_table

Facts = dict[str, Any]
FORMAT = 1
"""Raised when a key changes its meaning, so that two reports are compared only where they say the same."""
_DRIVERS = 8


def facts(stack: str, *, catalogue: tuple[Service, ...], root: Path, graph: Graph | None = None) -> Facts:
    """All facts of a stack.

    Args:
        stack: Its name.
        catalogue: The services that it deploys.
        root: Folder of the repository.
        graph: Its plan; none: what follows from settings alone.

    Raises:
        SettingsError: When the stack file is wrong or missing.
    """
    settings = stack_settings.from_file(stack, catalogue=catalogue, root=root)
    services = tuple(resolve(service, settings.services[service.name]) for service in catalogue)
    cost = estimate(settings, catalogue=catalogue, counts=aws_counts(graph) if graph else None)
    rooms = head_rooms(settings, catalogue=catalogue)
    found: Facts = {
        "format": FORMAT,
        "stack": stack,
        "environment": settings.environment.value,
        "role": settings.role.value,
        "region": settings.region,
        "cost": _cost(settings, cost),
        "headRooms": [_head_room(each) for each in sorted(rooms, key=lambda each: each.factor)],
        "tightest": _head_room(tightest(rooms)),
        "capacity": _capacity(settings, services),
        "curves": [_curves(each) for each in curves(services)],
        "objectives": [asdict(row) for row in slo_table(services)],
        "recovery": [
            _recovery(row, accepted=row.name in settings.recovery.accepted_over)
            for row in objectives(settings)
        ],
        "deviations": [asdict(row) for row in deviations(root)],
    }
    if graph is not None:
        found["plan"] = _plan(graph)
    return found


def aws_counts(graph: Graph) -> Mapping[str, int]:
    """AWS resources of a plan by type."""
    return Counter(r.type for r in graph.resources.values() if r.type.startswith("aws:"))


def _plan(graph: Graph) -> Facts:
    drawn = picture(graph)
    held = [resource for resource in graph.resources.values() if is_held(resource)]
    return {
        "resources": len(held),
        "packages": dict(sorted(Counter(r.type.partition(":")[0] for r in held).items())),
        "types": dict(sorted(Counter(r.type for r in held).items())),
        "parts": [
            {
                "tier": box.place.tier.value,
                "part": box.place.title,
                "note": box.place.note,
                "components": list(box.components),
                "resources": box.resources,
                "needs": sorted(drawn.boxes[key].place.title for key in box.needs if key in drawn.boxes),
            }
            for box in drawn.boxes.values()
        ],
    }


def _cost(settings: StackSettings, cost: Estimate) -> Facts:
    average = cost.average
    return {
        "pricesOf": cost.prices.dated,
        "budget": cost.budget,
        "levels": {level.value: cost.bills[level].total for level in Level},
        "groups": {
            group.value: {level.value: cost.bills[level].of(group) for level in Level} for group in Group
        },
        "drivers": [_line(line, average.total) for line in average.drivers(_DRIVERS)],
        "lines": [_line(line, average.total) for line in average.lines],
        "perUser": cost.per_user,
        "perTransaction": cost.per_transaction(),
        "perTransactionAtAMillionAMonth": cost.per_transaction(specification.MONTHLY_TRANSACTIONS),
        "transactionsAMonth": cost.transactions,
        "users": cost.users,
        "shares": {
            level.value: {
                "nodes": shares.nodes,
                "spot": shares.spot,
                "reserved": shares.reserved,
                "spotOfItsPool": shares.pool_spot_share,
                "spotOfAll": shares.spot_share,
                "reservedOfAll": shares.reserved_share,
            }
            for level, shares in cost.shares.items()
        },
        "specification": {
            "total": specification.TOTAL_USD,
            "perUser": specification.PER_USER_USD,
            "perTransaction": specification.PER_TRANSACTION_USD,
            "words": specification.total_in_words(cost),
            "lines": [
                {"name": each.name, "asked": each.asked, "built": each.built, "why": each.why}
                for each in specification.compare(settings, cost)
            ],
        },
    }


def _line(line: Line, total: float) -> Facts:
    return {
        "group": line.group.value,
        "item": line.item,
        "quantity": line.quantity,
        "unit": line.unit,
        "usd": line.usd,
        "share": line.usd / total if total else 0.0,
    }


def _head_room(each: HeadRoom) -> Facts:
    return {
        "kind": each.kind.value,
        "what": each.what,
        "needed": each.needed,
        "offered": each.offered,
        "unit": each.unit,
        "by": each.by,
        "factor": None if math.isinf(each.factor) else each.factor,
        "used": each.used,
    }


def _capacity(settings: StackSettings, services: Sequence[Service]) -> Facts:
    today = plan(settings, services=services, stage=Stage.TODAY)
    design = plan(settings, services=services, stage=Stage.DESIGN)
    return {
        "traffic": {
            each.stage.value: {
                "users": each.traffic.users,
                "transactionsADay": each.traffic.transactions_per_day,
                "transactionsASecond": each.traffic.transactions_per_second,
            }
            for each in (today, design)
        },
        "services": [
            {
                "service": now.service,
                "requestsToday": now.requests_per_second,
                "requestsDesign": then.requests_per_second,
                "podsToday": max(now.pods, now.min_replicas),
                "podsDesign": max(then.pods, then.min_replicas),
                "min": then.min_replicas,
                "max": then.max_replicas,
                "decidedBy": then.decided_by,
                "months": None if math.isinf(then.months) else then.months,
            }
            for now, then in zip(today.services, design.services, strict=True)
        ],
    }


def _recovery(row: Objective, *, accepted: bool) -> Facts:
    return {
        "name": row.name,
        "kind": row.kind,
        "objectiveSeconds": row.objective_seconds,
        "computedSeconds": row.computed_seconds,
        "met": row.met,
        "accepted": accepted,
        "source": row.source,
        "parts": [asdict(part) for part in row.parts],
    }


def _curves(each: Curves) -> Facts:
    return {
        "service": each.service,
        "min": each.min_replicas,
        "max": each.max_replicas,
        "up": [[step.at, step.replicas] for step in each.up],
        "down": [[step.at, step.replicas] for step in each.down],
        "secondsUp": each.seconds_up,
        "secondsDown": each.seconds_down,
    }
