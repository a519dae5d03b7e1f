"""Ends a preview with what matters most of it, on AWS and on this machine alike."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pulumi

from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.summary import summarise

FILE_VARIABLE = "PARKING_SUMMARY_FILE"
"""Names a file that gets the summary instead of the engine; `bin/pulumi-local preview` prints it last of all."""

_COMPONENTS = "parking"
_NO_RESOURCES = frozenset({"pulumi", _COMPONENTS, "eks"})
"""Packages of what groups or provides resources and is none."""


class Declared:
    """Counts the resources that a program declares from now on, by package.

    What a remote component makes inside its provider is not seen from the program, so not counted; the engine's own
    total at the end of a preview includes it, and components.
    """

    def __init__(self) -> None:
        self.by_package: Counter[str] = Counter()
        pulumi.runtime.register_stack_transformation(self._count)

    def _count(self, args: pulumi.ResourceTransformationArgs) -> None:
        package = args.type_.partition(":")[0]
        if package not in _NO_RESOURCES:
            self.by_package[package] += 1


def tell(settings: StackSettings, *, catalogue: tuple[Service, ...], declared: Declared) -> None:
    """Say the summary at the end of a preview; an `up` that previews first says it there, once.

    It is a message of the stack's own, so no resource or output changes by it. A program that fails before does not
    come this far; where the engine refuses a resource later, the summary stands among the errors on AWS and is left
    out on this machine.

    Args:
        settings: The stack's settings.
        catalogue: The services that it deploys.
        declared: What the program declared.
    """
    if not pulumi.runtime.is_dry_run():
        return
    summary = summarise(
        settings, stack=pulumi.get_stack(), catalogue=catalogue, resources=dict(declared.by_package)
    )
    text = "\n".join(summary.lines())
    if file := os.environ.get(FILE_VARIABLE):
        Path(file).write_text(text, encoding="utf-8")
    else:
        pulumi.log.info(text)
