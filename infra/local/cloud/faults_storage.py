"""Where moto's buckets answer otherwise than AWS's."""

from __future__ import annotations

import functools
import json
from typing import Any

from infra.local.cloud.wrapping import around, part


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    around(part("s3.models").FakeBucket, "get_permission", _get_permission)


def _get_permission(original: Any, self: Any, action: str, resource: str) -> Any:
    """A statement holds under its conditions only; moto, which cannot weigh them, takes them for met."""
    if self.policy is None:
        return original(self, action, resource)
    policy: dict[str, Any] = json.loads(self.policy)
    whole = self.policy
    policy["Statement"] = [one for one in policy["Statement"] if not one.get("Condition")]
    try:
        self.policy = json.dumps(policy).encode()
        return original(self, action, resource)
    finally:
        self.policy = whole
