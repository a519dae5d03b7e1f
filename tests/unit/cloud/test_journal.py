"""What the local cloud remembers: every change, its seed and its answer; encrypted, whole or said to be damaged."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from infra.local.cloud.journal import FILE, KEY_FILE, Answer, Journal, JournalError, Request
from infra.local.cloud.server import reads

ASKED = Request(
    environ={"REQUEST_METHOD": "POST", "PATH_INFO": "/"}, body=b"Action=CreateVpc&Password=hunter-two"
)
TOLD = Answer(status="200 OK", headers=[("Content-Type", "text/xml")], body=b"<VpcId>vpc-1</VpcId>")


def test_requests_come_back_in_order_with_their_numbers(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=journal.next_number())
    later = Request(environ={"REQUEST_METHOD": "PUT"}, body=b"\x00\xff")
    journal.add(later, number=journal.next_number())
    journal.close()

    again = Journal(tmp_path)

    assert list(again.requests()) == [(1, ASKED), (2, later)]
    assert again.next_number() == 3
    assert len(again) == 2


def test_an_answer_is_kept_under_its_key(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=1, key="urn#1", answer=TOLD)

    assert journal.answer("urn#1") == TOLD
    assert journal.answer("urn#2") is None


def test_what_is_forgotten_is_not_asked_again_and_no_number_comes_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=1, key="urn#1", answer=TOLD)

    journal.forget()

    assert list(journal.requests()) == []
    assert journal.answer("urn#1") is None
    assert journal.next_number() == 2, "the same ids would be made for other things"


def test_nothing_is_found_in_it_by_searching_and_nobody_else_reads_its_key(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=1, key="urn#1", answer=TOLD)
    journal.close()

    assert b"hunter-two" not in (tmp_path / FILE).read_bytes()
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("damaged", [FILE, KEY_FILE])
def test_damage_says_what_to_do(tmp_path: Path, damaged: str) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=1)
    journal.close()
    (tmp_path / damaged).write_bytes(b"x" * 4096)

    with pytest.raises(JournalError, match="cloud-down ARGS=--forget"):
        list(Journal(tmp_path).requests())


def test_a_lost_key_says_what_to_do(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(ASKED, number=1)
    journal.close()
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(JournalError, match="does not go with the key"):
        list(Journal(tmp_path).requests())


@pytest.mark.parametrize(
    ("environ", "body", "expected"),
    [
        ({"REQUEST_METHOD": "GET"}, b"", True),
        ({"REQUEST_METHOD": "PUT"}, b"", False),
        ({"REQUEST_METHOD": "POST", "HTTP_X_AMZ_TARGET": "TrentService.DescribeKey"}, b"{}", True),
        ({"REQUEST_METHOD": "POST", "HTTP_X_AMZ_TARGET": "TrentService.CreateKey"}, b"{}", False),
        (
            {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"},
            b"Action=DescribeVpcs&Version=2016-11-15",
            True,
        ),
        (
            {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded"},
            b"Action=ModifyDBInstance&DBInstanceIdentifier=DescribeVpcs",
            False,
        ),
        ({"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json"}, b"{}", False),
    ],
)
def test_a_request_that_only_asks_is_known_by_its_operation(
    environ: dict[str, str], body: bytes, expected: object
) -> None:
    assert reads(dict(environ), body) is expected
