"""The Kubernetes objects of every stack, as the real engine has them after `up`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from infra.local.cluster.testing import Json
from infra.model.stack import StackSettings
from tests.engine.platform import Platform
from tests.unit import stack_files

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_RELEASE = "kubernetes:helm.sh/v3:Release"
_NOT_OBJECTS = ("Patch", "List")
STACKS = ("prod", "prod-eu-west-1", "staging")


@dataclass(frozen=True, kw_only=True)
class States:
    """Exported states by stack."""

    exported: dict[str, list[Json]]

    @classmethod
    def of_all_stacks(cls, root: Path) -> States:
        platform = Platform.copy_to(root)
        exported: dict[str, list[Json]] = {}
        for stack in STACKS:
            platform.ok("up", "--yes", "--skip-preview", "--stack", stack)
            shown = platform.ok("stack", "export", "--stack", stack, "--show-secrets")
            exported[stack] = json.loads(shown)["deployment"]["resources"]
        return cls(exported=exported)

    def objects(self, stack: str) -> list[Json]:
        """Objects in the order they were made in, with their secrets in clear."""
        return [
            cast("Json", _clear(resource["inputs"]))
            for resource in self.exported[stack]
            if resource["type"].startswith("kubernetes:")
            and resource["type"] != _RELEASE
            and not resource["type"].endswith(_NOT_OBJECTS)
        ]

    def releases(self, stack: str) -> list[str]:
        """Helm releases, whose objects only their charts know."""
        return sorted(
            str(resource["inputs"]["name"])
            for resource in self.exported[stack]
            if resource["type"] == _RELEASE
        )


def settings_of(stack: str) -> StackSettings:
    return stack_files.load(stack)


def _clear(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if _SIGNATURE in fields:
            return json.loads(fields["plaintext"])
        return {key: _clear(item) for key, item in fields.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_clear(item) for item in cast("list[Any]", value)]
    return value
