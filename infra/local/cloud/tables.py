"""All rows, by the short form of Pulumi's type."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Final

from infra.local import cloud
from infra.local.cloud.rows import Row


def _all() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for module in sorted(found.name for found in pkgutil.iter_modules(cloud.__path__)):
        if module.startswith("table_"):
            table: Any = importlib.import_module(f"{cloud.__name__}.{module}")
            rows |= table.ROWS
    return rows


ROWS: Final[Mapping[str, Row]] = _all()
