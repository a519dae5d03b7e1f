"""The production program several times over in one run: copies differ by a prefix of their resources' names."""

import os
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi

REPOSITORY = Path(os.environ["BENCHMARK_REPOSITORY"])
sys.path.insert(0, str(REPOSITORY))

register = pulumi.Resource.__init__
register_hook = pulumi.ResourceHook.__init__
prefix = ""


def register_with_prefix(self: pulumi.Resource, t: str, name: str, *args: Any, **named: Any) -> None:
    """Register a resource of this copy."""
    register(self, t, f"{prefix}{name}", *args, **named)


def register_hook_with_prefix(self: pulumi.ResourceHook, name: str, *args: Any, **named: Any) -> None:
    """Register a hook of this copy."""
    register_hook(self, f"{prefix}{name}", *args, **named)


# The components know nothing of copies, so the name is changed where all resources and hooks pass.
pulumi.Resource.__init__ = register_with_prefix
pulumi.ResourceHook.__init__ = register_hook_with_prefix
for copy in range(int(os.environ["BENCHMARK_COPIES"])):
    prefix = f"copy-{copy}-" if copy else ""
    runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__")
