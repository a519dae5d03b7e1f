"""Real programs that the local platform runs: built from their Go modules once per user, then kept."""

from infra.local.tools.building import find, obtain
from infra.local.tools.catalogue import TOOLS, Tool

__all__ = ["TOOLS", "Tool", "find", "obtain"]
