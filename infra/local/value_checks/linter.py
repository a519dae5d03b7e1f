"""The process that runs cfn-lint: a line of JSON in, a line of JSON out, until its input ends.

A process of its own, because loading cfn-lint's rules takes two seconds and 150 MB that a run whose values were all
judged before need not spend.
"""

from __future__ import annotations

import ast
import difflib
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from cfnlint.config import ConfigMixIn
from cfnlint.helpers import REGIONS
from cfnlint.rules import Rules
from cfnlint.runner import Runner

from infra.local.value_checks.translate import Fragment, translate

IGNORED: Final[Mapping[str, str]] = {
    "E3002": "names of properties: the SDK's types judge them",
    "E3003": "what is required: the SDK's types judge it, and references are left out here",
    "E3012": "types of properties: the SDK's types judge them",
    "E3014": "one of several is required: references are left out here",
    "E3017": "any of several shapes: they mostly ask for what is left out here",
    "E3018": "one of several shapes: they mostly ask for what is left out here",
    "E3037": "unique elements: what made two differ may be left out here",
    "E3058": "at least one of several is required: references are left out here",
}
"""Rules that cannot judge a template without references, and why."""
_PRESENCE: Final = re.compile(r"is a required property\Z|are required\b|is a dependency of")
_DOCUMENTS: Final = frozenset({"E3510", "E3511", "E3512", "E3513", "E3530"})
"""Rules for policies, which are carried over whole or not at all."""
_ENUM: Final = re.compile(r"(?s)(?P<found>.+?) is not one of (?P<allowed>\[.*\])(?P<rest>.*)\Z")
_REPORTED: Final = ("E3", "W3037")
"""W3037 judges the actions of policies; there, too, AWS refuses what it does not know."""
_KEPT: Final = ("E1", *_REPORTED)
_LIMIT: Final = 12
Finding = tuple[str, str]


class Linter:
    """Judges resources one by one, each distinct one once."""

    def __init__(self) -> None:
        self._runners: dict[str, Runner] = {}
        self._known: dict[str, list[tuple[tuple[str | int, ...], str]]] = {}

    def findings(self, token: str, region: str, inputs: Mapping[str, Any]) -> list[Finding]:
        """What AWS would not take of these inputs: Pulumi path and sentence."""
        if region not in REGIONS:
            # A region newer than cfn-lint: its schemas cannot be guessed from another's.
            return []
        found: set[Finding] = set()
        for fragment in translate(token, inputs, region):
            key = json.dumps([region, fragment.type, fragment.properties], sort_keys=True)
            if key not in self._known:
                self._known[key] = list(self._lint(fragment, region))
            found |= {(_path(fragment, where), reason) for where, reason in self._known[key]}
        return sorted(found)

    def _lint(self, fragment: Fragment, region: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
        template = {"Resources": {"It": {"Type": fragment.type, "Properties": fragment.properties}}}
        for match in self._runner(region).validate_template(template):
            rule, message = str(match.rule.id), str(match.message)
            absent = _PRESENCE.search(message) and rule not in _DOCUMENTS
            if not rule.startswith(_REPORTED) or rule in IGNORED or absent:
                continue
            # Resources, It, Properties, then the property.
            path: list[str | int] = cast("Any", match).path
            yield tuple(path[3:]), f"{_short(message)} (cfn-lint {rule})"

    def _runner(self, region: str) -> Runner:
        if region not in self._runners:
            runner = Runner(ConfigMixIn(regions=[region]))
            # Only what judges resources: every other rule costs time for each of hundreds of templates.
            runner.rules = Rules(
                {name: rule for name, rule in runner.rules.items() if name.startswith(_KEPT)}
            )
            self._runners[region] = runner
        return self._runners[region]


def _path(fragment: Fragment, where: tuple[str | int, ...]) -> str:
    """The nearest Pulumi path; empty for the whole resource."""
    while where and where not in fragment.paths:
        where = where[:-1]
    return fragment.paths.get(where, "")


def _short(message: str) -> str:
    """Cut a long list of allowed values to those near the one found."""
    match = _ENUM.match(message)
    try:
        allowed = [str(value) for value in ast.literal_eval(match["allowed"])] if match else []
    except (SyntaxError, ValueError):
        allowed = []
    if match is None or not allowed:
        return message if len(message) <= 400 else f"{message[:397]}..."
    listed = ", ".join(allowed)
    if len(allowed) > _LIMIT:
        near = difflib.get_close_matches(match["found"].strip("'"), allowed, n=5, cutoff=0.4)
        listed = f"{len(allowed)} values" + (f", near: {', '.join(near)}" if near else "")
    return f"is {match['found']}; AWS takes one of {listed}{match['rest']}"


def main() -> None:
    """Serve until standard input ends."""
    logging.disable(logging.WARNING)
    linter = Linter()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        found = linter.findings(asked["token"], asked["region"], asked["inputs"])
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
