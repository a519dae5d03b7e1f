"""Makes chosen operations fail on purpose, so that recovery can be rehearsed.

`PULUMI_LOCAL_FAULTS` holds rules separated by `;`, each `ACTION:REGEX`, the expression being searched in
`OPERATION URN` (for example `create urn:pulumi:dev::p::aws:ec2/vpc:Vpc::main`). Actions: `fail` refuses the operation,
`throttle` refuses it as AWS does when asked too often, `hang` never answers until the caller gives up, `lose` carries
it out and then answers with an error, as a connection that breaks before the answer does.

`ACTION%SHARE@SEED:REGEX` strikes only SHARE per cent of what the expression finds, always the same for a SEED.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "PULUMI_LOCAL_FAULTS"
ACTIONS: Final = frozenset({"fail", "hang", "throttle", "lose"})
_RULE: Final = re.compile(
    r"(?P<action>[a-z]+)(?:%(?P<share>\d{1,2}|100)@(?P<seed>\d+))?:(?P<pattern>.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule.

    Attributes:
        action: One of ACTIONS.
        pattern: Searched in `OPERATION URN`.
        share: Per cent of what the pattern finds that is struck.
        seed: Chooses which.
    """

    action: str
    pattern: re.Pattern[str]
    share: int = 100
    seed: int = 0

    def strikes(self, subject: str) -> bool:
        """Whether an operation on a resource is struck."""
        if not self.pattern.search(subject):
            return False
        digest = hashlib.sha256(f"{self.action} {self.seed} {subject}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % 100 < self.share


def parse(environment: Mapping[str, str] | None = None) -> list[Fault]:
    """Read the rules from the environment.

    Raises:
        ValueError: a rule is of neither form.
    """
    rules: list[Fault] = []
    for rule in filter(
        None, (os.environ if environment is None else environment).get(VARIABLE, "").split(";")
    ):
        found = _RULE.fullmatch(rule.strip())
        if found is None or found["action"] not in ACTIONS:
            raise ValueError(
                f"{VARIABLE}: {rule!r} is not ACTION:REGEX or ACTION%SHARE@SEED:REGEX, with ACTION one of "
                f"{', '.join(sorted(ACTIONS))}, SHARE per cent and SEED a whole number"
            )
        share, seed = int(found["share"] or 100), int(found["seed"] or 0)
        rules.append(Fault(found["action"], re.compile(found["pattern"]), share, seed))
    return rules


def action_for(rules: list[Fault], operation: str, urn: str) -> str | None:
    """Find what to do to an operation, None for nothing."""
    return next((rule.action for rule in rules if rule.strikes(f"{operation} {urn}")), None)
