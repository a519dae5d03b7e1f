"""Problems of a stack file, in the one form in which people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with the settings.

    Attributes:
        key: Where, as written in the stack file, e.g. `parking:network.zones[1]`.
        found: The value found, shortened.
        allowed: What would be accepted.
        why: The reason for the limit.
        action: What to do.
    """

    key: str
    found: str
    allowed: str
    why: str
    action: str

    def __str__(self) -> str:
        return (
            f"{self.key}\n"
            f"    found:   {self.found}\n"
            f"    allowed: {self.allowed}\n"
            f"    why:     {self.why}\n"
            f"    do:      {self.action}"
        )


class SettingsError(pulumi.RunError):
    """A stack file that must not be deployed; the engine shows the message alone, without a traceback.

    Args:
        stack: Name of the stack.
        problems: All that is wrong, at least one.
    """

    def __init__(self, *, stack: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        listed = "\n".join(f"{number}. {problem}" for number, problem in enumerate(problems, 1))
        super().__init__(f"Pulumi.{stack}.yaml has {count}; nothing was registered.\n{listed}")
