"""A journal is a file that people pass on, so it holds no credential."""

from __future__ import annotations

from pathlib import Path

from infra.ops.journal import Journal
from infra.redaction import MASK

HIDDEN = "hunter2hunter2"


def test_what_looks_like_a_credential_is_not_written(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, operation="failover", subject="prod")
    journal.write("failed", step="promote", error=f"cannot connect to postgresql://app:{HIDDEN}@db/x")
    journal.remember("head", {"identifier": "prod-head", "masterUserPassword": HIDDEN})

    text = journal.path.read_text()
    assert HIDDEN not in text
    assert text.count(MASK) == 2
    assert "postgresql://app:" in text


def test_ordinary_facts_come_back_as_they_were(tmp_path: Path) -> None:
    facts = {"arn": "arn:aws:rds:eu-west-1:123456789012:db:head", "sizes": [1, 2.5, None, True]}
    Journal.open(tmp_path, operation="failover", subject="prod").remember("facts", facts)

    assert Journal.open(tmp_path, operation="failover", subject="prod").facts == {"facts": facts}
