"""The function that scales readers: what it may do, what it is told, who watches it."""

from __future__ import annotations

from typing import Any

import pulumi

from components.reader_scaling import DRAIN_SECONDS, Observation, ReaderFleet, ReaderRecord, ReaderScaling
from infra.model.stack import DatabaseSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import ALERTING, DATA_KEY, LOG_KEY, TOPIC, ZONES
from tests.unit.recording import parsed

FUNCTION = "aws:lambda/function:Function"
RECORD = "database-readers.prod.internal"
ZONE = "arn:aws:route53:::hostedzone/Z1"


def built() -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        scaling = ReaderScaling(
            "reader-scaling",
            context=context(),
            settings=DatabaseSettings(),
            fleet=ReaderFleet(
                head="parking-prod-database",
                fixed=["parking-prod-database-reader-1"],
                parameter_group="parking-prod-database-postgres17",
                security_group_id="sg-1",
                key_arn=DATA_KEY,
                zones=ZONES,
            ),
            record=ReaderRecord(zone_id="Z1", zone_arn=ZONE, name=RECORD),
            observation=Observation(log_key_arn=LOG_KEY, alerting=ALERTING),
            opts=opts,
        )
        return {"record": scaling.record, "function": scaling.function_name}

    return build(make)


def statements() -> dict[str, dict[str, Any]]:
    policy = built().recorder.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    return {statement["Sid"]: statement for statement in parsed(policy)["Statement"]}


def test_it_may_delete_only_what_it_made() -> None:
    delete = [one for one in statements().values() if "rds:DeleteDBInstance" in one["Action"]]

    assert len(delete) == 1
    assert delete[0]["Resource"] == ["arn:aws:rds:us-east-1:123456789012:db:parking-prod-reader-scaling-*"]
    assert delete[0]["Condition"] == {"StringEquals": {"aws:ResourceTag/managed-by": "reader-autoscaling"}}


def test_it_may_create_only_readers_that_carry_its_tag() -> None:
    create = statements()["Create"]

    assert create["Resource"] == ["arn:aws:rds:us-east-1:123456789012:db:parking-prod-reader-scaling-*"]
    assert create["Condition"] == {"StringEquals": {"aws:RequestTag/managed-by": "reader-autoscaling"}}


def test_it_may_change_one_record_of_one_zone() -> None:
    change = statements()["SetRecord"]

    assert change["Resource"] == [ZONE]
    names = change["Condition"]["ForAllValues:StringEquals"]
    assert names["route53:ChangeResourceRecordSetsNormalizedRecordNames"] == [RECORD]
    assert names["route53:ChangeResourceRecordSetsActions"] == ["UPSERT"]


def test_only_reading_metrics_is_allowed_on_everything() -> None:
    everything = [one["Action"] for one in statements().values() if "*" in one["Resource"]]

    assert everything == [["cloudwatch:GetMetricData"]]
    assert not [one for one in statements().values() if any(action.endswith("*") for action in one["Action"])]


def test_one_run_at_a_time_every_minute() -> None:
    recorder = built().recorder

    assert recorder.one(FUNCTION).inputs["reservedConcurrentExecutions"] == 1
    assert recorder.one(FUNCTION).inputs["timeout"] < 60
    rule = recorder.one("aws:cloudwatch/eventRule:EventRule")
    assert rule.inputs["scheduleExpression"] == "rate(1 minute)"
    permission = recorder.one("aws:lambda/permission:Permission").inputs
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["sourceArn"].endswith("reader-scaling-schedule")


def test_it_is_told_the_specification_s_numbers() -> None:
    told = parsed(built().recorder.one(FUNCTION).inputs["environment"]["variables"]["SETTINGS"])

    assert told["limits"] == {
        "minimum": 3,
        "maximum": 6,
        "target_percent": 70.0,
        "drain_seconds": DRAIN_SECONDS,
    }
    assert told["instance_class"] == "db.r6g.xlarge"
    assert told["fixed"] == ["parking-prod-database-reader-1"]
    assert told["tags"]["cost-centre"] == "parking"
    assert "managed-by" not in told["tags"]


def test_its_log_is_kept_and_encrypted() -> None:
    log = built().recorder.one("aws:cloudwatch/logGroup:LogGroup").inputs

    assert log["name"] == "/aws/lambda/parking-prod-reader-scaling"
    assert (log["kmsKeyId"], log["retentionInDays"]) == (LOG_KEY, 90)


def test_failing_silent_and_stuck_are_alarms() -> None:
    alarms = built().recorder.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")

    assert sorted(alarm.inputs["metricName"] for alarm in alarms) == ["Errors", "Invocations", "StuckReaders"]
    assert all(alarm.inputs["alarmActions"] == [TOPIC] for alarm in alarms)


def test_its_first_run_has_its_rights_and_its_log() -> None:
    assert set(built().depends_on(FUNCTION, "reader-scaling-function")) == {
        "reader-scaling-policy",
        "reader-scaling-log",
    }
