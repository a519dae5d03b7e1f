"""The tables of docs/capacity.md: what production needs, as the command prints it."""

from __future__ import annotations

from infra import settings
from infra.capacity import Stage, plan
from infra.capacity.report import render
from infra.catalogue import resolve
from services import CATALOGUE

STACK = "prod"
SHOWN = (Stage.TODAY, Stage.DESIGN)


def block() -> str:
    """A fenced block for each stage that is shown."""
    found = settings.from_file(STACK, catalogue=CATALOGUE)
    services = [resolve(service, found.services[service.name]) for service in CATALOGUE]
    tables = (render(plan(found, services=services, stage=stage), stack=STACK) for stage in SHOWN)
    return "\n\n".join(f"```text\n{table}\n```" for table in tables)
