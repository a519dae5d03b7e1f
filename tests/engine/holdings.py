"""What the stand-ins hold against what the engine's state says: nothing may be left over on either side."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

Holding = tuple[str, str]
"""URN and id."""


def in_state(exported: str) -> set[Holding]:
    """Resources that a provider keeps, as `pulumi stack export` shows them."""
    resources: list[dict[str, Any]] = json.loads(exported)["deployment"].get("resources", [])
    return {
        (resource["urn"], resource["id"])
        for resource in resources
        if resource.get("custom")
        and not resource.get("external")
        and not resource["type"].startswith("pulumi:")
    }


def in_records(records: Path, stack: str) -> set[Holding]:
    """Resources that the stand-ins hold for a stack."""
    if not records.exists():
        return set()
    with closing(sqlite3.connect(records, timeout=60)) as database:
        return set(database.execute("select urn, id from records where stack = ?", (stack,)).fetchall())


def count(records: Path, stack: str) -> int:
    """How many resources the stand-ins hold for a stack; none before the file is whole."""
    if not records.exists():
        return 0
    with closing(sqlite3.connect(records, timeout=60)) as database:
        try:
            return database.execute("select count(*) from records where stack = ?", (stack,)).fetchone()[0]
        except sqlite3.OperationalError:
            return 0
