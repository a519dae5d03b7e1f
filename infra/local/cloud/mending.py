"""All that is mended of moto before it serves."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from infra.local import cloud


def mend() -> None:
    """Apply every module of faults of this room."""
    for module in sorted(found.name for found in pkgutil.iter_modules(cloud.__path__)):
        if module.startswith("faults"):
            faults: Any = importlib.import_module(f"{cloud.__name__}.{module}")
            faults.mend()
