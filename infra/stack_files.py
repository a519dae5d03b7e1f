"""Which stacks there are, without the engine; `infra.settings.from_file` reads one."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PREFIX, _SUFFIX = "Pulumi.", ".yaml"


def path_of(stack: str, root: Path = ROOT) -> Path:
    """The file of a stack, whether or not it is there.

    Args:
        stack: Name of the stack.
        root: Folder with the stack files.
    """
    return root / f"{_PREFIX}{stack}{_SUFFIX}"


def names(root: Path = ROOT) -> list[str]:
    """Stacks that have a file, by name.

    Args:
        root: Folder with the stack files.
    """
    return sorted(
        path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX) for path in root.glob(f"{_PREFIX}*{_SUFFIX}")
    )
