"""Takes secrets out of what goes to a log or a journal: by value where they are known, else by look."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

MASK: Final = "[secret]"
SHORTEST: Final = 8
"""Letters of the shortest value that is looked for; shorter ones are ordinary words."""

_TELLING_KEY: Final = re.compile(
    r"pass(word|phrase)|secret_?(string|value|key|access)|auth_?token|session_?token|private_?key|api_?key|credential",
    re.IGNORECASE,
)
_LOOKS: Final = (
    # The user and the password in a URL: the user stays.
    (re.compile(r"(?<=://)([^\s:/@]+):[^\s@/]+(?=@)"), rf"\1:{MASK}"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL), MASK),
)

_NAMED: Final = re.compile(
    # A type token, as random:index/randomPassword:RandomPassword, names no value, and stays.
    r"/(?P<type>\w+):(?P=type)\b|"
    r"(?P<key>\b[\w-]*(?:password|passphrase|auth_?token|session_?token|api_?key|secret_?access_?key)[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"',;&}]+",
    re.IGNORECASE,
)


def by_look(text: str) -> str:
    """A text without what looks like a credential."""
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return _NAMED.sub(lambda found: found[0] if found["type"] else f"{found['key']}{MASK}", text)


def plain(value: Any) -> Any:
    """Data as JSON has it, without what looks like a credential or stands under a key that says so."""
    if isinstance(value, Mapping):
        return {
            str(key): MASK if _TELLING_KEY.search(str(key)) and isinstance(each, str) else plain(each)
            for key, each in cast("Mapping[Any, Any]", value).items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(each) for each in cast("Sequence[Any]", value)]
    return by_look(value) if isinstance(value, str) else value


class Known:
    """Values that were seen to be secret."""

    def __init__(self) -> None:
        self._values: set[str] = set()

    def learn_all(self, values: Iterable[str]) -> None:
        """Remember secret values."""
        self._values.update(value for value in values if len(value) >= SHORTEST)

    def without(self, text: str) -> str:
        """A text without any of them, as they are or as JSON and Python write them, and without what looks like one."""
        # The longest first: one may be a part of another.
        for value in sorted(self._values, key=len, reverse=True):
            for written in {value, json.dumps(value)[1:-1], repr(value)[1:-1]}:
                text = text.replace(written, MASK)
        return by_look(text)


class Formatter(logging.Formatter):
    """Formats log records, tracebacks included, without the values that are known to be secret."""

    def __init__(self, known: Known, layout: str) -> None:
        super().__init__(layout)
        self._known = known

    def format(self, record: logging.LogRecord) -> str:
        """The record as a text without secrets."""
        return self._known.without(super().format(record))
