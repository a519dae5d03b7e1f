"""Registers resources by type and inputs, flat, with the bare SDK: what a preview costs at the least."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

MARK = "4dabf18193072939515e22adb298388d"
"""The engine's mark of a special value: a secret, or code that is handed over with a resource."""


def value(raw: Any) -> Any:
    """An exported input as the SDK wants it: secrets unwrapped and marked again, code as assets."""
    if isinstance(raw, dict):
        fields = cast("dict[str, Any]", raw)
        if "plaintext" in fields and MARK in fields:
            return pulumi.Output.secret(value(json.loads(fields["plaintext"])))
        if MARK in fields:
            return handed_over(fields)
        return {key: value(part) for key, part in fields.items() if not key.startswith("__")}
    if isinstance(raw, list):
        return [value(part) for part in cast("list[Any]", raw)]
    return raw


def handed_over(fields: Mapping[str, Any]) -> pulumi.Archive | pulumi.Asset:
    """Code as the state keeps it: an archive with its parts, or one file's text."""
    if "assets" in fields:
        return pulumi.AssetArchive({name: value(part) for name, part in fields["assets"].items()})
    # A file that is named by its path stays where the program was; the SDK takes no empty text.
    return pulumi.StringAsset(fields.get("text") or "code")


def register(resource: Mapping[str, Any], provider: pulumi.ProviderResource) -> None:
    """Register one resource, with no parent and no dependency."""
    kind, name = resource["type"], resource["name"]
    inputs, package = value(resource["inputs"]), kind.partition(":")[0]
    if resource["component"]:
        pulumi.ComponentResource(kind, name, inputs, None, resource["remote"])
        return
    options = pulumi.ResourceOptions(
        version=resource["version"], provider=provider if package == "kubernetes" else None
    )
    pulumi.CustomResource(kind, name, inputs, options)


PLAN = json.loads(Path(os.environ["BENCHMARK_RESOURCES"]).read_text(encoding="utf-8"))
PROVIDER = pulumi.ProviderResource("kubernetes", "kubernetes", {"kubeconfig": "{}"})
for entry in PLAN:
    register(entry, PROVIDER)
