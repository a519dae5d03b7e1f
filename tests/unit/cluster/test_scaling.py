"""The specification's scaling format, and what is derived from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.cluster import keda
from infra.cluster.scaling import (
    Trigger,
    TriggerFormatError,
    Unit,
    behavior,
    parse,
    render,
    response_query,
    step_policies,
)
from infra.model.service import Objective, ScalingTrigger
from infra.model.triggers import GENERAL_TRIGGERS, EmergencyThresholds, GeneralTriggers, LoadThresholds
from services.payment import PAYMENT

SPECIFICATION = """\
triggers:
  - metric: queue_depth
    threshold: 1000
    scaleUp: 2
    cooldown: 60s
  - metric: processing_latency
    threshold: 500ms
    scaleUp: 1
    cooldown: 120s
  - metric: error_rate
    threshold: 5%
    scaleUp: 3
    cooldown: 30s
"""


def trigger(**changes: object) -> str:
    values = {"metric": "queue_depth", "threshold": "1000", "scaleUp": "2", "cooldown": "60s", **changes}
    body = "\n    ".join(f"{key}: {value}" for key, value in values.items() if value is not None)
    return f"triggers:\n  - {body}\n"


def test_payments_triggers_are_written_letter_by_letter_as_specified() -> None:
    assert render(PAYMENT.scaling.triggers) == SPECIFICATION


def test_the_specifications_text_is_read() -> None:
    assert parse(SPECIFICATION) == (
        Trigger(metric="queue_depth", threshold=1000, unit=Unit.COUNT, scale_up=2, cooldown_seconds=60),
        Trigger(
            metric="processing_latency",
            threshold=500,
            unit=Unit.MILLISECONDS,
            scale_up=1,
            cooldown_seconds=120,
        ),
        Trigger(metric="error_rate", threshold=5, unit=Unit.PERCENT, scale_up=3, cooldown_seconds=30),
    )


def test_seconds_and_minutes_are_understood() -> None:
    (read,) = parse(trigger(threshold="2s", cooldown="2m"))

    assert (read.threshold, read.unit, read.cooldown_seconds) == (2000, Unit.MILLISECONDS, 120)


def described(values: tuple[str, int, str, int, int]) -> ScalingTrigger:
    metric, threshold, unit, step, cooldown = values
    return ScalingTrigger(
        metric=metric, threshold=f"{threshold}{unit}", query="up", scale_up=step, cooldown_seconds=cooldown
    )


TRIGGERS = st.tuples(
    st.from_regex(r"[a-z]{1,8}_[a-z]{1,8}", fullmatch=True),
    st.integers(min_value=1, max_value=100),
    st.sampled_from(["", "ms", "s", "%"]),
    st.integers(min_value=1, max_value=50),
    st.integers(min_value=1, max_value=1800),
).map(described)


@given(st.lists(TRIGGERS, min_size=1, max_size=5, unique_by=lambda t: t.metric))
def test_what_is_written_is_what_is_read(triggers: list[ScalingTrigger]) -> None:
    read = parse(render(triggers))

    assert [(t.metric, t.scale_up, t.cooldown_seconds) for t in read] == [
        (t.metric, t.scale_up, t.cooldown_seconds) for t in triggers
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("triggers: [", "not YAML"),
        ("", "one key 'triggers'"),
        ("- a", "one key 'triggers'"),
        ("triggers: []\nextra: 1", "one key 'triggers'"),
        ("triggers: []", "at least one trigger"),
        ("triggers: 5", "found 5"),
        ("triggers: [5]", r"triggers\[0\]: found 5; a mapping"),
        (trigger(cooldown=None), "missing cooldown"),
        (trigger(treshold=5), "unknown treshold"),
        (trigger(metric="Queue-Depth"), r"triggers\[0\]\.metric: found 'Queue-Depth'"),
        (trigger(metric="true"), r"metric: found True"),
        (trigger(threshold="many"), r"threshold: found 'many'; allowed is a number over 0"),
        (trigger(threshold="0"), "found 0"),
        (trigger(threshold="-5"), "found -5"),
        (trigger(threshold="120%"), "percentages up to 100"),
        (trigger(scaleUp="0"), r"scaleUp: found 0; allowed is a whole number of pods"),
        (trigger(scaleUp="1.5"), "found 1.5"),
        (trigger(scaleUp="true"), "found True"),
        (trigger(cooldown="60"), r"cooldown: found 60; allowed is a whole number of seconds or minutes"),
        (trigger(cooldown="0s"), "1 to 1800 s"),
        (trigger(cooldown="31m"), "1 to 1800 s"),
        (SPECIFICATION + SPECIFICATION.partition("\n")[2], "'queue_depth' stands twice"),
    ],
)
def test_a_wrong_configuration_is_refused_saying_where_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(TriggerFormatError, match=message):
        parse(text)


def test_a_trigger_that_could_not_be_read_back_is_never_written() -> None:
    bad = ScalingTrigger(metric="queue", threshold="5 apples", query="up", scale_up=1, cooldown_seconds=60)

    with pytest.raises(TriggerFormatError, match="5 apples"):
        render([bad])


def test_steps_and_cooldowns_become_policies() -> None:
    direction = step_policies(parse(SPECIFICATION))

    assert direction.stabilization_window_seconds == 0
    assert [(p.type, p.value, p.period_seconds) for p in direction.policies] == [
        ("Pods", 2, 60),
        ("Pods", 1, 120),
        ("Pods", 3, 30),
    ]


def test_behavior_states_both_directions_and_the_selection() -> None:
    stated = behavior(scale_up=step_policies(parse(SPECIFICATION)), scale_down=PAYMENT.scaling.scale_down)

    assert set(stated) == {"scaleUp", "scaleDown"}
    assert {direction["selectPolicy"] for direction in stated.values()} == {"Max"}


def test_a_configured_metric_without_a_query_is_refused() -> None:
    with pytest.raises(ValueError, match="no query is declared for error_rate; known are queue_depth"):
        keda.custom_triggers(
            read=parse(SPECIFICATION)[::2], declared=PAYMENT.scaling.triggers[:1], server_address="http://p"
        )


def test_general_triggers_are_the_specifications() -> None:
    assert GENERAL_TRIGGERS.scale_up == LoadThresholds(
        cpu_percent=70, memory_percent=80, response_to_objective=1.0
    )
    assert GENERAL_TRIGGERS.scale_down == LoadThresholds(
        cpu_percent=30, memory_percent=40, response_to_objective=0.5
    )
    assert GENERAL_TRIGGERS.emergency == EmergencyThresholds(error_percent=5.0, response_to_objective=2.0)


@pytest.mark.parametrize(
    ("part", "field", "value", "message"),
    [
        ("scale_down", "cpu_percent", 70, "cpu: scaling down at 70 and up at 70"),
        ("scale_down", "memory_percent", 90, "memory: scaling down at 90"),
        ("scale_down", "response_to_objective", 1.0, "response: scaling down at 1.0"),
        ("emergency", "response_to_objective", 1.0, "an emergency must be slower"),
    ],
)
def test_thresholds_that_would_oscillate_are_refused(
    part: str, field: str, value: float, message: str
) -> None:
    parts = dict(GENERAL_TRIGGERS)
    parts[part] = parts[part].model_copy(update={field: value})

    with pytest.raises(ValidationError, match=message):
        GeneralTriggers.model_validate(parts)


def test_the_slowest_operation_counts_against_its_own_objective() -> None:
    objectives = (
        Objective(operation="fast", target_ms=50, percentile=99, method="GET", path="/a"),
        Objective(operation="slow", target_ms=2000, percentile=95, method="GET", path="/b"),
    )
    query = response_query(service="x-service", objectives=objectives, triggers=GENERAL_TRIGGERS)

    assert "histogram_quantile(0.99, " in query
    assert "/ 0.05," in query
    assert "histogram_quantile(0.95, " in query
    assert "/ 2," in query
    # Between half the objective and the objective: held at 1, the HPA's target. Under half: no answer.
    assert query.startswith("clamp_min(max(")
    assert query.endswith(" >= 0.5, 1)")


def test_no_objective_no_response_metric() -> None:
    with pytest.raises(ValueError, match="no latency objective"):
        response_query(service="x-service", objectives=(), triggers=GENERAL_TRIGGERS)
