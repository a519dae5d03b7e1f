"""The table and the picture of docs/autoscaling.md, from what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.cluster.replicas import curve, limits_of, seconds_to
from infra.diagram import curves
from infra.docs.markdown import table
from infra.model.service import Service
from services import CATALOGUE

_HEAD = (
    "service",
    "pods",
    "permitted",
    "real time",
    "ratio",
    "pods",
    "permitted",
    "divided and undone",
    "ratio",
)
_LONG_SECONDS = 3600


def picture(measured: str) -> str:
    """The curves as SVG.

    Args:
        measured: The measurement, as JSON.
    """
    return curves.render(json.loads(measured))


def block(measured: str) -> str:
    """How long each service took until enough pods were wanted, beside the least that its policies permit.

    Args:
        measured: The measurement, as JSON.
    """
    data = json.loads(measured)
    return table(
        _HEAD,
        [
            [service.name, *_way(service, data["real"]), *_way(service, data["divided"])]
            for service in CATALOGUE
        ],
    )


def _way(service: Service, measured: Mapping[str, Any]) -> Sequence[str]:
    limits = limits_of(service)
    steps: Sequence[tuple[float, int]] = measured[service.name]["up"]
    start, (took, reached) = steps[0][1], steps[-1]
    allowed = curve(limits, start=start, wanted=lambda _: limits.max_replicas, seconds=_LONG_SECONDS)
    permitted = seconds_to(allowed, reached)
    return f"{start} to {reached}", f"{permitted:.0f} s", f"{took:.0f} s", f"{took / permitted:.3f}"
