"""Partitions of a topic never become fewer."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import ResourceHookArgs

from components.partition_guard import FewerPartitionsError, refuse_fewer


def update(before: Any, after: Any) -> ResourceHookArgs:
    return ResourceHookArgs(
        urn="urn",
        id="id",
        name="streaming-events",
        type="aws:msk/topic:Topic",
        old_inputs={"name": "events", "partitionCount": before},
        new_inputs={"name": "events", "partitionCount": after},
    )


def test_fewer_are_refused_with_what_there_is_and_what_to_do() -> None:
    with pytest.raises(FewerPartitionsError) as refused:
        refuse_fewer(update(6.0, 5.0))

    said = str(refused.value)
    assert "topic events: 5 partitions, but it has 6" in said
    assert "6 or more" in said
    assert "parking:streaming.topics.events.partitions" in said


@pytest.mark.parametrize(("before", "after"), [(6.0, 6.0), (6.0, 7.0), (6.0, object()), (None, 5.0)])
def test_as_many_more_and_what_is_not_known_yet_pass(before: Any, after: Any) -> None:
    refuse_fewer(update(before, after))
