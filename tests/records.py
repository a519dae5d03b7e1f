"""What tests measured, left where the environment says; without that they only test."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORDED = "PARKING_DRILL"
"""Environment variable with the folder that a drill's measurements are written to; without it nowhere."""


def record(name: str, content: Mapping[str, Any]) -> None:
    """Write what one part of a drill measured, as `NAME.json`; the newest replaces the one before."""
    folder = os.environ.get(RECORDED)
    if not folder:
        return
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
