"""What is not there, overlaps or is taken: the cloud of this machine refuses it with AWS's own code.

The inputs are those of `wrong_inputs.yaml`, the table that `docs/local-checks.md` shows.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator
from typing import Any, Final, cast

import pytest

from infra.local.cloud import running
from infra.local.cloud.driver import Driver, Subject
from infra.local.cloud.refusals import CloudRefusedError
from infra.local.cloud.tables import NEEDED, ROWS
from infra.local.providers.aws.kinds import short
from tests.unit.providers.test_wrong_inputs import TABLE, changed

REFERENCES: Final[list[dict[str, Any]]] = TABLE["references"]
_REFERENCE: Final = re.compile(r"<(\w+)(\.arn)?>")


class Prepared:
    """A cloud in which things are there to refer to."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._made: dict[str, Subject] = {}
        for one in TABLE["prepared"]:
            self._made[one["name"]] = self.make(one["type"], one["inputs"])

    def make(self, token: str, inputs: dict[str, Any]) -> Subject:
        given = self._filled(inputs)
        subject = Subject(inputs=given, region=TABLE["region"], account="123456789012", key=uuid.uuid4().hex)
        row = ROWS.get(short(token))
        if row is None:
            # It stays a record, and what it refers to is asked for.
            self._driver.require(NEEDED[short(token)], subject)
            return subject
        identity, sight = self._driver.create(row, subject)
        return Subject(
            inputs=given,
            outputs=dict(sight.outputs),
            region=subject.region,
            account=subject.account,
            id=identity,
        )

    def remove(self, token: str, subject: Subject) -> None:
        if short(token) in ROWS:
            self._driver.delete(ROWS[short(token)], subject)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._filled(item) for item in cast("list[Any]", value)]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return value
        made = self._made[found[1]]
        return made.outputs["arn"] if found[2] else made.id


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Prepared]:
    folder = tmp_path_factory.mktemp("references")
    found = running.start(folder / "cloud", log=folder / "cloud.log")
    try:
        yield Prepared(Driver(found.url, "local"))
    finally:
        running.stop(folder / "cloud")


@pytest.mark.parametrize("wrong", REFERENCES, ids=[wrong["kind"] for wrong in REFERENCES])
def test_a_wrong_reference_is_refused_and_a_right_one_is_not(
    prepared: Prepared, wrong: dict[str, Any]
) -> None:
    base = TABLE["good"].get(wrong["type"], {})
    good = {key: value for key, value in {**base, **wrong["good"]}.items() if value is not None}
    made = prepared.make(wrong["type"], good)
    prepared.remove(wrong["type"], made)

    with pytest.raises(CloudRefusedError) as refused:
        prepared.make(wrong["type"], changed(good, wrong["set"]))

    assert str(refused.value).startswith(wrong["code"]), refused.value
