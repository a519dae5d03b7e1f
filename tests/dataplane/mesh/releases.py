"""Values of the stack's Helm releases, as the add-ons' component registers them."""

from __future__ import annotations

from typing import Any

from tests.unit.components.test_addons import build_add_ons, release


def values(name: str) -> dict[str, Any]:
    """Values of a release of production."""
    return dict(release(build_add_ons(), name).inputs.get("values") or {})
