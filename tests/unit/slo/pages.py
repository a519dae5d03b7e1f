"""The table of objectives as Markdown, as docs/observability.md must have it."""

from __future__ import annotations

from collections.abc import Sequence

from infra.model.service import Service
from infra.slo.objectives import SloRow, slo_table

HEADER = (
    "| service | operation | answers within | percentile | availability | error budget | errors at any time |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


def slo_lines(services: Sequence[Service]) -> list[str]:
    """Lines of the table."""
    return [*HEADER, *map(_line, slo_table(services))]


def _line(row: SloRow) -> str:
    operation = [row.operation, f"{row.target_ms} ms", f"{row.percentile:g}%"] if row.operation else [""] * 3
    cells = [
        row.service,
        *operation,
        f"{row.availability_percent:g}%",
        f"{row.error_budget_minutes:g} min",
        f"{row.error_class}, under {row.max_error_percent:g}%",
    ]
    return f"| {' | '.join(map(str, cells))} |"
