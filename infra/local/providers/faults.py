"""Makes chosen operations fail on purpose, so that recovery can be rehearsed.

`PULUMI_LOCAL_FAULTS` holds rules separated by `;`, each `ACTION:REGEX`, the expression being searched in
`OPERATION URN` (for example `create urn:pulumi:dev::p::aws:ec2/vpc:Vpc::main`). Actions: `fail` refuses the operation,
`throttle` refuses it as AWS does when asked too often, `hang` never answers until the caller gives up, `lose` carries
it out and then answers with an error, as a connection that breaks before the answer does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "PULUMI_LOCAL_FAULTS"
ACTIONS: Final = frozenset({"fail", "hang", "throttle", "lose"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule."""

    action: str
    pattern: re.Pattern[str]


def parse(environment: Mapping[str, str] | None = None) -> list[Fault]:
    """Read the rules from the environment.

    Raises:
        ValueError: a rule is not of the form `ACTION:REGEX`.
    """
    rules: list[Fault] = []
    for rule in filter(
        None, (os.environ if environment is None else environment).get(VARIABLE, "").split(";")
    ):
        action, colon, pattern = rule.strip().partition(":")
        if action not in ACTIONS or not colon or not pattern:
            raise ValueError(
                f"{VARIABLE}: {rule!r} is not ACTION:REGEX with ACTION one of {', '.join(sorted(ACTIONS))}"
            )
        rules.append(Fault(action, re.compile(pattern)))
    return rules


def action_for(rules: list[Fault], operation: str, urn: str) -> str | None:
    """Find what to do to an operation, None for nothing."""
    return next((rule.action for rule in rules if rule.pattern.search(f"{operation} {urn}")), None)
