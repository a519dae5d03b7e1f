"""All rows, by the short form of Pulumi's type."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Final

from infra.local import cloud
from infra.local.cloud.rows import Needed, Row


def _all(name: str) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for module in sorted(found.name for found in pkgutil.iter_modules(cloud.__path__)):
        if module.startswith("table_"):
            table: Any = importlib.import_module(f"{cloud.__name__}.{module}")
            rows |= getattr(table, name, {})
    return rows


ROWS: Final[Mapping[str, Row]] = _all("ROWS")
LEFT_OUT: Final[Mapping[str, str]] = _all("LEFT_OUT")
"""Types that the program uses and that stay records, with the reason."""
NEEDED: Final[Mapping[str, tuple[Needed, ...]]] = _all("NEEDED")
"""What of these must be there when one of them is made."""
