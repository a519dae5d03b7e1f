"""Logs and journals do not hold secrets."""

from __future__ import annotations

import io
import json
import logging

import pytest

from infra import redaction
from infra.redaction import MASK, Known

VALUE = 'aB3$"quoted\\9Xz'


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://app:hunter2hunter2@db:5432/x", "hunter2hunter2"),
        ("password=hunter2hunter2 host=db", "hunter2hunter2"),
        ('{"MasterUserPassword": "hunter2hunter2"}', "hunter2hunter2"),
        ("x/password:hunter2hunter2", "hunter2hunter2"),
        ("AuthToken: hunter2hunter2", "hunter2hunter2"),
        ("key AKIAIOSFODNN7EXAMPLE was refused", "AKIAIOSFODNN7EXAMPLE"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
    ],
)
def test_what_looks_like_a_credential_is_taken_out(text: str, hidden: str) -> None:
    said = redaction.by_look(text)

    assert hidden not in said
    assert MASK in said


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:parking-prod/database",
        "the replica prod-eu-west-1 lags 3 s; see https://example.com/a:b",
        "error: the key alias/parking-pulumi is disabled",
        'stack dev, random:index/randomPassword:RandomPassword "one": length is x',
        "urn:pulumi:prod::parking::random:index/randomPassword:RandomPassword::database",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redaction.by_look(text) == text


def test_values_under_telling_keys_are_taken_out_at_any_depth() -> None:
    entry = {"step": "x", "result": [{"masterUserPassword": "hunter2hunter2", "size": 3}]}

    assert redaction.plain(entry) == {
        "step": "x",
        "result": [{"masterUserPassword": MASK, "size": 3}],
    }


def test_a_known_value_is_taken_out_however_it_is_written() -> None:
    known = Known()
    known.learn_all([VALUE, "short"])

    for text in (VALUE, json.dumps({"x": VALUE}), repr({"x": VALUE})):
        assert known.without(text).count(MASK) == 1
        assert "quoted" not in known.without(text)
    assert known.without("short") == "short"


def test_a_traceback_in_a_log_has_no_secret() -> None:
    known, stream = Known(), io.StringIO()
    known.learn_all([VALUE])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(redaction.Formatter(known, "%(message)s"))
    error = ValueError(f"cannot use {VALUE!r}")
    record = logging.LogRecord(
        "test", logging.ERROR, "x.py", 1, "failed with %s", (VALUE,), (ValueError, error, None)
    )
    handler.emit(record)

    assert "ValueError: cannot use" in stream.getvalue()
    assert stream.getvalue().count(MASK) == 2
    assert "quoted" not in stream.getvalue()
