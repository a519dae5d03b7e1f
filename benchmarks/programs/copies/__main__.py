"""The production program several times over in one run: copies differ by a prefix of their resources' names."""

import os
import sys
from pathlib import Path
from typing import Any

import pulumi

REPOSITORY = Path(os.environ["BENCHMARK_REPOSITORY"])
sys.path.insert(0, str(REPOSITORY))

from infra import settings  # noqa: E402 - found by the path above
from services import CATALOGUE  # noqa: E402
from stacks.region import deploy  # noqa: E402

register = pulumi.Resource.__init__
prefix = ""


def register_with_prefix(self: pulumi.Resource, t: str, name: str, *args: Any, **named: Any) -> None:
    """Register a resource of this copy."""
    register(self, t, f"{prefix}{name}", *args, **named)


# The components know nothing of copies, so the name is changed where all resources pass.
pulumi.Resource.__init__ = register_with_prefix
stack_settings = settings.load(catalogue=CATALOGUE, root=REPOSITORY)
for copy in range(int(os.environ["BENCHMARK_COPIES"])):
    prefix = f"copy-{copy}-" if copy else ""
    deploy(stack_settings, catalogue=CATALOGUE)
