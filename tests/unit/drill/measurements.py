"""A drill's measurements, made up."""

from __future__ import annotations

from typing import Any

from infra.drill.measured import Measured, read_content

STEPS = ("look", "fence", "drain", "promote", "move-name", "scale-up", "verify")


def steps(run: str, *, seconds: float = 0.5) -> list[dict[str, Any]]:
    return [{"run": run, "step": step, "seconds": seconds, "result": "done"} for step in STEPS]


def content() -> dict[str, Any]:
    """As the file has it."""
    return {
        "at": "2030-01-02T03:04:05+00:00",
        "machine": {"cores": 2, "memory_gib": 8, "system": "Linux x86_64", "load": 1.5},
        "postgresql": {
            "version": "17.1",
            "pgbouncer": "1.24",
            "promotion_seconds": 0.3,
            "write_gap_seconds": 4.5,
            "acknowledged": 100,
            "lost": 0,
        },
        "kubernetes": {
            "version": "v1.36.3",
            "pod_seconds": 0.2,
            "doubled_seconds": 0.7,
            "node_gone_seconds": 47.0,
            "node_silent_seconds": 352.0,
            "node_gone_pods": 3,
            "node_silent_pods": 2,
        },
        "tool": {
            "at": "2030-01-02T03:00:00+00:00",
            "moto": "5",
            "steps": [*steps("failover-away"), *steps("failover-home")],
        },
        "unplugged": {"steps": steps("failover-away", seconds=2.0)},
    }


def measured() -> Measured:
    return read_content(content())
