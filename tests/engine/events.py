"""The order in which the engine did things, from its event log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.guardrails import DEBUG_COMMANDS

ENVIRONMENT = DEBUG_COMMANDS
"""What lets a command take `--event-log=FILE`."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """One operation on one resource; `began` and `ended` are places in the log, so they compare."""

    operation: str
    type: str
    name: str
    began: int
    ended: int
    new: dict[str, Any]


def read(log: Path) -> list[Done]:
    """The operations that ended, in the order in which they began."""
    began: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    found: list[Done] = []
    for place, line in enumerate(log.read_text(encoding="utf-8").splitlines()):
        event: dict[str, Any] = json.loads(line)
        start, end = event.get("resourcePreEvent"), event.get("resOutputsEvent")
        whole: dict[str, Any] = start or end or {}
        metadata: dict[str, Any] = whole.get("metadata") or {}
        key = (str(metadata.get("op")), str(metadata.get("urn")))
        if start:
            began[key] = (place, metadata)
        elif end and key in began:
            first, metadata = began[key]
            found.append(
                Done(
                    operation=key[0],
                    type=str(metadata["type"]),
                    name=key[1].rpartition("::")[2],
                    began=first,
                    ended=place,
                    new=metadata.get("new") or {},
                )
            )
    return sorted(found, key=lambda done: done.began)
