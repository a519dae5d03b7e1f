"""What the driver does with rows, against a cloud of its own: made, seen, changed, deleted, and undone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from infra.local.cloud import running
from infra.local.cloud.driver import Driver, Sight, Subject
from infra.local.cloud.refusals import CloudRefusedError
from infra.local.cloud.rows import Call, Each, Row
from infra.local.cloud.tables import ROWS

ACCOUNT = "123456789012"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})

ROLE = Row(
    service="iam",
    create=(
        Call(operation="create_role", carries=True),
        Call(
            operation="attach_role_policy", given={"RoleName": "{id}", "PolicyArn": "{policy}"}, when="policy"
        ),
    ),
    id="Role.RoleName",
    read=Call(operation="get_role", given={"RoleName": "{id}"}),
    found="Role",
    outputs={"arn": "Arn"},
    sees={"trust": "AssumeRolePolicyDocument.Version"},
    names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
    blind="assumeRolePolicy",
    update=(
        Call(operation="update_role", given={"RoleName": "{id}"}, carries="description", when="description"),
    ),
    delete=(Call(operation="delete_role", given={"RoleName": "{id}"}),),
    tags="{id}",
)
"""A role that is made by two calls, the second of which can be refused."""

BUCKET = Row(
    service="s3",
    create=(Call(operation="create_bucket", given={"Bucket": "{bucket}"}),),
    id="{bucket}",
    read=Call(operation="get_bucket_tagging", given={"Bucket": "{bucket}"}, tolerates="NoSuchTagSet"),
    found="{TagSet: TagSet}",
    delete=(
        Call(
            operation="delete_objects",
            given={"Bucket": "{bucket}", "Delete": {"Objects": "{items}"}},
            needs="forceDestroy=true",
            each=Each(
                operation="list_objects_v2",
                given={"Bucket": "{bucket}", "MaxKeys": 2},
                path="Contents[].{Key: Key}",
            ),
        ),
        Call(operation="delete_bucket", given={"Bucket": "{bucket}"}),
    ),
)
"""A bucket whose content is listed in pages of two."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("driver")
    yield running.start(folder / "cloud", log=folder / "cloud.log").url
    running.stop(folder / "cloud")


@pytest.fixture
def driver(endpoint: str) -> Driver:
    return Driver(endpoint, ACCOUNT)


@pytest.fixture(scope="module")
def network(endpoint: str) -> dict[str, str]:
    """A VPC with two subnets and a group, by what stands for each in tables."""
    driver, made_of = Driver(endpoint, ACCOUNT), ROWS
    vpc, _ = made(driver, made_of["ec2:Vpc"], subject({"cidrBlock": "10.8.0.0/16"}))
    found = {"VPC": vpc.id}
    for number, name in enumerate("AB"):
        zone = f"us-east-1{name.lower()}"
        inputs = {"vpcId": vpc.id, "cidrBlock": f"10.8.{number}.0/24", "availabilityZone": zone}
        found[name] = made(driver, made_of["ec2:Subnet"], subject(inputs))[0].id
    group = {"vpcId": vpc.id, "name": "seen", "description": "seen"}
    found["GROUP"] = made(driver, made_of["ec2:SecurityGroup"], subject(group))[0].id
    return found


def subject(inputs: dict[str, Any], tags: dict[str, str] | None = None, **more: Any) -> Subject:
    key = f"urn:of:it#{uuid.uuid4()}"
    return Subject(inputs=inputs, tags=tags or {}, region="us-east-1", account=ACCOUNT, key=key, **more)


def role(name: str, **inputs: Any) -> dict[str, Any]:
    return {"name": name, "assumeRolePolicy": TRUST, "description": "at first", **inputs}


def made(driver: Driver, row: Row, wanted: Subject) -> tuple[Subject, Sight]:
    identity, sight = driver.create(row, wanted)
    return replace(wanted, id=identity, outputs=sight.outputs), sight


def test_what_is_made_has_its_id_its_outputs_and_is_seen(driver: Driver) -> None:
    there, sight = made(driver, ROLE, subject(role("seen"), {"owner": "us"}))

    assert there.id == "seen"
    assert sight.outputs == {"arn": f"arn:aws:iam::{ACCOUNT}:role/seen"}
    assert sight.seen == {
        "name": "seen",
        "description": "at first",
        "trust": "2012-10-17",
        "tagsAll": {"owner": "us"},
    }
    assert driver.look(ROLE, there) == sight


def test_what_others_changed_is_seen(driver: Driver) -> None:
    there, before = made(driver, ROLE, subject(role("drifting"), {"owner": "us"}))

    iam = driver.client("iam", "us-east-1")
    iam.update_role(RoleName="drifting", Description="by hand")
    iam.tag_role(RoleName="drifting", Tags=[{"Key": "owner", "Value": "them"}])

    after = driver.look(ROLE, there)
    assert after is not None
    changed = {name for name, value in after.seen.items() if before.seen[name] != value}
    assert changed == {"description", "tagsAll"}
    assert after.seen["description"] == "by hand"
    assert after.seen["tagsAll"] == {"owner": "them"}


def test_changes_reach_the_cloud_by_the_calls_for_what_changed(driver: Driver) -> None:
    there, _ = made(driver, ROLE, subject(role("changing")))
    wanted = replace(there, inputs=role("changing", description="then"))

    unchanged = driver.update(ROLE, wanted, {"assumeRolePolicy"}, {})
    changed = driver.update(ROLE, wanted, {"description"}, {})

    assert unchanged is not None
    assert changed is not None
    assert unchanged.seen["description"] == "at first", "its call is for another property"
    assert changed.seen["description"] == "then"


def test_tags_are_set_changed_and_taken_away(driver: Driver) -> None:
    had = {"stays": "1", "changes": "1", "goes": "1"}
    there, _ = made(driver, ROLE, subject(role("tagged"), had))
    wanted = replace(there, tags={"stays": "1", "changes": "2", "comes": "1"})

    sight = driver.update(ROLE, wanted, {"tags"}, had)

    assert sight is not None
    assert sight.seen["tagsAll"] == wanted.tags


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("acm:Certificate", {"domainName": "tags.example.com", "validationMethod": "DNS"}),
        ("backup:Vault", {"name": "tags"}),
        ("cloudwatch:EventRule", {"name": "tags", "scheduleExpression": "rate(1 hour)"}),
        ("cloudwatch:LogGroup", {"name": "tags"}),
        ("cloudwatch:MetricAlarm", {"name": "tags", "comparisonOperator": "GreaterThanThreshold", "threshold": 1,
                                    "evaluationPeriods": 1, "metricName": "m", "namespace": "n", "period": 60,
                                    "statistic": "Sum"}),
        ("ecr:Repository", {"name": "tags"}),
        ("kms:Key", {"description": "tags"}),
        ("rds:ParameterGroup", {"name": "tags", "family": "postgres17", "description": "tags"}),
        ("route53:HealthCheck", {"type": "HTTPS", "fqdn": "tags.example.com", "port": 443, "requestInterval": 10,
                                 "failureThreshold": 3}),
        ("route53:Zone", {"name": "tags.example.com"}),
        ("secretsmanager:Secret", {"name": "tags", "recoveryWindowInDays": 0}),
        ("sns:Topic", {"name": "tags"}),
        ("ssm:Parameter", {"name": "tags", "type": "String", "value": "v"}),
        ("wafv2:WebAcl", {"name": "tags", "scope": "REGIONAL", "defaultAction": {"allow": {}},
                          "visibilityConfig": {"cloudwatchMetricsEnabled": False, "metricName": "m",
                                               "sampledRequestsEnabled": False}}),
    ],
)  # fmt: skip
def test_tags_are_seen_set_and_taken_away_whether_or_not_answers_show_them(
    driver: Driver, kind: str, inputs: dict[str, Any]
) -> None:
    row, had = ROWS[kind], {"stays": "1", "changes": "1", "goes": "1"}
    there, sight = made(driver, row, subject(inputs, had))
    assert sight.seen["tagsAll"] == had
    wanted = replace(there, tags={"stays": "1", "changes": "2", "comes": "1"})

    changed = driver.update(row, wanted, {"tags"}, had)

    assert changed is not None
    assert changed.seen["tagsAll"] == wanted.tags
    assert driver.look(row, wanted) == changed
    driver.delete(row, wanted)


Change = Callable[[Driver, Subject], None]


def _told(service: str, operation: str, **arguments: Any) -> Change:
    """A call of somebody else's; `ID` stands for the resource."""

    def act(driver: Driver, there: Subject) -> None:
        given = {name: there.id if value == "ID" else value for name, value in arguments.items()}
        getattr(driver.client(service, "us-east-1"), operation)(**given)

    return act


def _describe_rule(driver: Driver, there: Subject) -> None:
    group = there.inputs["securityGroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "ReferencedGroupId": group}
    new = {"SecurityGroupRuleId": there.id, "SecurityGroupRule": {**rule, "Description": "theirs"}}
    driver.client("ec2", "us-east-1").modify_security_group_rules(GroupId=group, SecurityGroupRules=[new])


@pytest.mark.parametrize(
    ("kind", "inputs", "change", "shown"),
    [
        ("ec2:Vpc", {"cidrBlock": "10.9.0.0/16", "enableDnsHostnames": True},
         _told("ec2", "modify_vpc_attribute", VpcId="ID", EnableDnsHostnames={"Value": False}),
         {"enableDnsHostnames": False}),
        ("ec2:LaunchTemplate", {"name": "seen", "instanceType": "c5.large", "userData": "YQ=="},
         _told("ec2", "create_launch_template_version", LaunchTemplateId="ID",
               LaunchTemplateData={"InstanceType": "c5.xlarge"}),
         {"instanceType": "c5.xlarge", "userData": None}),
        ("kms:Key", {"description": "turns", "enableKeyRotation": True},
         _told("kms", "disable_key_rotation", KeyId="ID"), {"enableKeyRotation": False}),
        ("lb:TargetGroup", {"name": "seen", "port": 443, "protocol": "HTTPS", "vpcId": "VPC", "targetType": "ip",
                            "deregistrationDelay": 30, "healthCheck": {"path": "/health", "interval": 10}},
         _told("elbv2", "modify_target_group_attributes", TargetGroupArn="ID",
               Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]),
         {"deregistrationDelay": "300"}),
        ("lb:LoadBalancer", {"name": "seen", "subnets": ["A", "B"], "idleTimeout": 45},
         _told("elbv2", "modify_load_balancer_attributes", LoadBalancerArn="ID",
               Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "60"}]),
         {"idleTimeout": "60"}),
        ("route53:HealthCheck", {"type": "HTTPS", "fqdn": "seen.example.com", "port": 443, "requestInterval": 10,
                                 "failureThreshold": 3, "enableSni": True},
         _told("route53", "update_health_check", HealthCheckId="ID", EnableSNI=False), {"enableSni": False}),
        ("ssm:Parameter", {"name": "seen", "type": "String", "value": "v", "description": "ours"},
         _told("ssm", "put_parameter", Name="seen", Type="String", Value="v", Description="theirs", Overwrite=True),
         {"description": "theirs"}),
        ("vpc:SecurityGroupIngressRule", {"securityGroupId": "GROUP", "ipProtocol": "tcp", "fromPort": 443,
                                          "toPort": 443, "referencedSecurityGroupId": "GROUP", "description": "ours"},
         _describe_rule,
         {"description": "theirs"}),
    ],
)  # fmt: skip
def test_what_others_changed_is_seen_where_a_description_leaves_it_out(
    driver: Driver, network: dict[str, str], kind: str, inputs: dict[str, Any], change: Change, shown: dict[str, Any]
) -> None:  # fmt: skip
    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in cast("list[Any]", value)]
        return network.get(value, value) if isinstance(value, str) else value

    row = ROWS[kind]
    there, before = made(driver, row, subject({name: filled(value) for name, value in inputs.items()}))

    change(driver, there)

    after = driver.look(row, there)
    assert after is not None
    changed = {name for name in before.seen if after.seen.get(name) != before.seen[name]}
    assert {name: after.seen.get(name) for name in changed} == shown
    driver.delete(row, there)


def test_how_a_record_s_answer_is_chosen_is_seen_and_changed(driver: Driver) -> None:
    row, names = ROWS["route53:Record"], driver.client("route53", "us-east-1")
    zone, _ = made(driver, ROWS["route53:Zone"], subject({"name": "routed.example.com"}))
    inputs = {
        "zoneId": zone.id, "name": "api.routed.example.com", "type": "A", "ttl": 60, "records": ["192.0.2.1"],
        "setIdentifier": "blue", "weightedRoutingPolicies": [{"weight": 100}],
    }  # fmt: skip
    there, before = made(driver, row, subject(inputs))
    assert before.seen["weightedRoutingPolicies"] == [{"weight": 100}]

    record = names.list_resource_record_sets(HostedZoneId=zone.id, StartRecordName=inputs["name"])
    (held,) = (one for one in record["ResourceRecordSets"] if one["Type"] == "A")
    change = {"Action": "UPSERT", "ResourceRecordSet": {**held, "Weight": 0}}
    names.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": [change]})

    after = driver.look(row, there)
    assert after is not None
    assert after.seen["weightedRoutingPolicies"] == [{"weight": 0}]
    mended = driver.update(row, there, {"weightedRoutingPolicies"}, {})
    assert mended == before


def test_what_is_deleted_is_gone_and_can_be_deleted_again(driver: Driver) -> None:
    there, _ = made(driver, ROLE, subject(role("doomed")))

    driver.delete(ROLE, there)

    assert driver.look(ROLE, there) is None
    driver.delete(ROLE, there)


def test_what_others_deleted_cannot_be_changed(driver: Driver) -> None:
    there, _ = made(driver, ROLE, subject(role("lost")))
    driver.client("iam", "us-east-1").delete_role(RoleName="lost")

    with pytest.raises(CloudRefusedError, match="NoSuchEntity") as refused:
        driver.update(ROLE, replace(there, inputs=role("lost", description="then")), {"description"}, {})
    assert refused.value.gone


def test_a_refused_part_takes_the_whole_with_it(driver: Driver) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:policy/missing"

    with pytest.raises(CloudRefusedError, match="NoSuchEntity"):
        driver.create(ROLE, subject(role("half", policy=missing)))

    assert driver.look(ROLE, subject(role("half"), id="half")) is None


def test_a_part_that_is_not_asked_for_is_not_made(driver: Driver) -> None:
    there, _ = made(driver, ROLE, subject(role("alone")))

    attached = driver.client("iam", "us-east-1").list_attached_role_policies(RoleName=there.id)

    assert attached["AttachedPolicies"] == []


def test_a_refusal_has_the_clouds_code_and_words(driver: Driver) -> None:
    made(driver, ROLE, subject(role("twice")))

    with pytest.raises(CloudRefusedError, match=r"EntityAlreadyExists: .*twice") as refused:
        driver.create(ROLE, subject(role("twice")))
    assert not refused.value.gone


def test_what_the_call_cannot_take_is_refused_before_it_is_sent(driver: Driver) -> None:
    with pytest.raises(CloudRefusedError, match="ParamValidationError"):
        driver.create(ROLE, subject({"name": "no-trust"}))


def test_nothing_to_ask_for_is_refused(driver: Driver) -> None:
    row = replace(ROLE, create=(replace(ROLE.create[1], when="policy"),))

    with pytest.raises(CloudRefusedError, match="nothing to ask the cloud for"):
        driver.create(row, subject(role("nothing")))


def test_a_tolerated_code_is_no_refusal(driver: Driver) -> None:
    there, sight = made(driver, BUCKET, subject({"bucket": "tolerant"}))

    assert sight.seen == {}
    assert driver.look(BUCKET, there) == sight
    driver.delete(BUCKET, there)
    assert driver.look(BUCKET, there) is None, "another code is not tolerated"


def test_a_listing_is_worked_off_page_by_page(driver: Driver) -> None:
    there, _ = made(driver, BUCKET, subject({"bucket": "full", "forceDestroy": True}))
    s3 = driver.client("s3", "us-east-1")
    for key in "abcde":
        s3.put_object(Bucket="full", Key=key, Body=b"")

    with pytest.raises(CloudRefusedError, match="BucketNotEmpty"):
        driver.delete(BUCKET, replace(there, inputs={"bucket": "full"}))
    driver.delete(BUCKET, there)

    assert driver.look(BUCKET, there) is None


def test_what_has_no_reading_call_is_known_by_what_its_making_answered(driver: Driver) -> None:
    unread = replace(ROLE, read=None, outputs={"arn": "Role.Arn"})

    _, sight = made(driver, unread, subject(role("unread")))

    assert sight == Sight(outputs={"arn": f"arn:aws:iam::{ACCOUNT}:role/unread"}, seen={})


@pytest.mark.parametrize(
    ("kind", "inputs", "code"),
    [
        ("ec2:Subnet", {"vpcId": "vpc-0", "cidrBlock": "10.0.0.0/24"}, "InvalidVpcID.NotFound"),
        ("iam:RolePolicy", {"role": "missing", "name": "p", "policy": TRUST}, "NoSuchEntity"),
        ("s3:BucketPolicy", {"bucket": "missing", "policy": TRUST}, "NoSuchBucket"),
        ("sns:TopicSubscription", {"topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:missing", "protocol": "email",
                                   "endpoint": "a@example.com"}, "NotFound"),
        ("cloudwatch:EventTarget", {"rule": "missing", "arn": "arn:aws:lambda:us-east-1:1:function:f"},
         "ResourceNotFoundException"),
        ("cloudwatch:LogGroup", {"name": "g", "kmsKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/missing"},
         "InvalidParameterException"),
        ("backup:Vault", {"name": "v", "kmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/missing"},
         "InvalidParameterValueException"),
        ("backup:VaultLockConfiguration", {"backupVaultName": "missing", "minRetentionDays": 7},
         "ResourceNotFoundException"),
    ],
)  # fmt: skip
def test_a_reference_to_nothing_is_refused(
    driver: Driver, kind: str, inputs: dict[str, Any], code: str
) -> None:
    with pytest.raises(CloudRefusedError, match=f"^{code}: "):
        driver.create(ROWS[kind], subject(inputs))


def test_a_versioned_bucket_is_emptied_of_versions_and_of_marks_of_deletions(driver: Driver) -> None:
    row = ROWS["s3:Bucket"]
    there, _ = made(driver, row, subject({"bucket": "versions", "forceDestroy": True}, {"a": "1"}))
    s3 = driver.client("s3", "us-east-1")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="versions", Key="k", Body=body)
    s3.delete_object(Bucket="versions", Key="k")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Suspended"})

    driver.delete(row, there)

    assert driver.look(row, there) is None


def test_a_bucket_stays_without_its_tags_and_is_seen_without_them(driver: Driver) -> None:
    row = ROWS["s3:Bucket"]
    there, sight = made(driver, row, subject({"bucket": "untagged"}, {"a": "1"}))
    assert sight.seen["tagsAll"] == {"a": "1"}

    after = driver.update(row, replace(there, tags={}), {"tags"}, {"a": "1"})

    assert after is not None
    assert after.seen["tagsAll"] == {}


def test_a_bucket_outside_the_first_region_is_where_it_was_asked_for(driver: Driver) -> None:
    made(driver, ROWS["s3:Bucket"], replace(subject({"bucket": "abroad"}), region="eu-west-1"))

    assert (
        driver.client("s3", "us-east-1").get_bucket_location(Bucket="abroad")["LocationConstraint"]
        == "eu-west-1"
    )


def test_an_object_holds_what_it_was_given_and_goes_with_all_its_versions(driver: Driver) -> None:
    made(driver, ROWS["s3:Bucket"], subject({"bucket": "shelf"}))
    s3, row = driver.client("s3", "us-east-1"), ROWS["s3:BucketObjectv2"]
    s3.put_bucket_versioning(Bucket="shelf", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="shelf", Key="a/b.zip.old", Body=b"another's")
    inputs = {"bucket": "shelf", "key": "a/b.zip", "content": "1", "contentType": "text/plain"}
    there, first = made(driver, row, subject(inputs))

    second = driver.update(row, replace(there, inputs={**inputs, "content": "2"}), {"content"}, {})

    held = s3.get_object(Bucket="shelf", Key="a/b.zip")
    assert there.id == "shelf/a/b.zip"
    assert (held["Body"].read(), held["ContentType"]) == (b"2", "text/plain")
    assert second is not None
    assert second.outputs["etag"] != first.outputs["etag"]
    driver.delete(row, there)
    assert [one["Key"] for one in s3.list_object_versions(Bucket="shelf")["Versions"]] == ["a/b.zip.old"]


def test_a_backup_plan_changes_keeps_its_id_and_leaves_its_name_free(driver: Driver) -> None:
    made(driver, ROWS["backup:Vault"], subject({"name": "v"}))
    row = ROWS["backup:Plan"]
    rule: dict[str, Any] = {"ruleName": "r", "targetVaultName": "v", "lifecycle": {"deleteAfter": 5}}
    inputs = {"name": "plan", "rules": [rule]}
    there, first = made(driver, row, subject(inputs))
    longer = {**inputs, "rules": [{**rule, "lifecycle": {"deleteAfter": 6}}]}

    second = driver.update(row, replace(there, inputs=longer), {"rules"}, {})

    assert second is not None
    assert second.outputs["arn"] == first.outputs["arn"]
    assert second.outputs["version"] != first.outputs["version"]
    assert second.seen["rules"][0]["Lifecycle"] == {"DeleteAfterDays": 6}
    driver.delete(row, there)
    assert driver.look(row, there) is None
    made(driver, row, subject(inputs))


def test_an_alarm_has_seen_nothing_at_first_and_a_change_does_not_calm_it(driver: Driver) -> None:
    row, cloudwatch = ROWS["cloudwatch:MetricAlarm"], driver.client("cloudwatch", "us-east-1")
    inputs: dict[str, Any] = {
        "name": "alarm", "comparisonOperator": "LessThanThreshold", "evaluationPeriods": 1, "metricName": "m",
        "namespace": "n", "period": 60, "statistic": "Sum", "threshold": 1,
    }  # fmt: skip

    def state() -> str:
        return cloudwatch.describe_alarms(AlarmNames=["alarm"])["MetricAlarms"][0]["StateValue"]

    there, _ = made(driver, row, subject(inputs))
    assert state() == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName="alarm", StateValue="ALARM", StateReason="tried")
    driver.update(row, replace(there, inputs={**inputs, "threshold": 2}), {"threshold"}, {})
    assert state() == "ALARM"


def test_a_budget_changes_and_tells_whom_it_is_told_to(driver: Driver) -> None:
    row, budgets = ROWS["budgets:Budget"], driver.client("budgets", "us-east-1")
    told = {
        "comparisonOperator": "GREATER_THAN", "notificationType": "ACTUAL", "threshold": 80,
        "thresholdType": "PERCENTAGE", "subscriberEmailAddresses": ["a@example.com"],
    }  # fmt: skip
    inputs = {
        "name": "b", "budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "1", "limitUnit": "USD",
        "notifications": [told],
    }  # fmt: skip

    def thresholds() -> list[float]:
        found = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName="b")
        return [one["Threshold"] for one in found["Notifications"]]

    there, _ = made(driver, row, subject(inputs))
    more = {**inputs, "limitAmount": "2"}
    sight = driver.update(row, replace(there, inputs=more), {"limitAmount"}, {})
    assert sight is not None
    assert (sight.seen["limitAmount"], thresholds()) == ("2", [80.0])
    driver.update(
        row,
        replace(there, inputs={**more, "notifications": [{**told, "threshold": 90}]}),
        {"notifications"},
        {},
    )
    assert thresholds() == [90.0]


def test_attributes_of_a_topic_are_changed_and_taken_away(driver: Driver) -> None:
    row, sns = ROWS["sns:Topic"], driver.client("sns", "us-east-1")
    there, _ = made(driver, row, subject({"name": "t", "displayName": "T", "kmsMasterKeyId": "alias/k"}))

    driver.update(
        row, replace(there, inputs={"name": "t", "displayName": "U"}), {"displayName", "kmsMasterKeyId"}, {}
    )

    held = sns.get_topic_attributes(TopicArn=there.id)["Attributes"]
    assert held["DisplayName"] == "U"
    assert not held.get("KmsMasterKeyId")
