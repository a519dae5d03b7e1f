"""Rotation of passwords: what the function may do and is told, who calls and who watches it, what it carries."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components import password_rotation
from components.password_rotation import (
    EVERY_DAYS,
    PACKAGES,
    SETTLE_SECONDS,
    PasswordRotation,
    RotatedSecret,
    RotationSite,
)
from components.password_rotation_function.document import (
    DocumentError,
    following,
    password_of,
    renewed,
)
from components.secret_store import REFRESH_MINUTES
from infra.data.logins import logins, password_field
from infra.data.rds_authorities import bundle
from infra.python_packages import PackageMissingError, sources
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import ALERTING, LOG_KEY, SECRETS_KEY, TOPIC
from tests.unit.recording import parsed

FUNCTION = "aws:lambda/function:Function"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:parking-prod-use1-"
LOGINS = logins("auth")
RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbooks" / "aws-password-rotation.md"


def built(*, copy_to: tuple[str, ...] = ("eu-west-1",)) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        made = PasswordRotation(
            "password-rotation",
            context=context(),
            secrets={
                "database-user-auth": RotatedSecret(arn=f"{ARN}database-user-auth-aaaaaa", logins=LOGINS),
                "database-owner": RotatedSecret(arn=f"{ARN}database-owner-bbbbbb", logins=["parking_owner"]),
            },
            copy_to=copy_to,
            site=RotationSite(
                vpc_id="vpc-1",
                subnet_ids=["subnet-a", "subnet-b"],
                host="writer.database.prod.internal",
                database_security_group_id="sg-database",
                database_cidrs=("10.0.32.0/22", "10.1.32.0/22"),
                authorities=bundle("us-east-1", "eu-west-1"),
                secrets_key_arn=SECRETS_KEY,
                log_key_arn=LOG_KEY,
                log_retention_days=90,
                alerting=ALERTING,
            ),
            after=[k8s.Provider("migrations")],
            opts=opts,
        )
        return {"function": made.function_name}

    return build(make)


def statements() -> dict[str, dict[str, Any]]:
    policy = built().recorder.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    return {statement["Sid"]: statement for statement in parsed(policy)["Statement"]}


def test_it_may_change_these_secrets_and_their_copies_and_no_others() -> None:
    secrets = [one for one in statements().values() if "secretsmanager:PutSecretValue" in one["Action"]]

    assert [one["Resource"] for one in secrets] == [
        [f"{ARN}database-owner-bbbbbb", f"{ARN}database-user-auth-aaaaaa"],
        [
            f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:parking-prod-euw1-{name}-??????"
            for name in ("database-owner", "database-user-auth")
        ],
    ]


def test_keys_are_used_by_way_of_secrets_manager_only() -> None:
    keys = [one for one in statements().values() if "kms:Decrypt" in one["Action"]]

    assert {one["Condition"]["StringEquals"]["kms:ViaService"] for one in keys} == {
        "secretsmanager.us-east-1.amazonaws.com",
        "secretsmanager.eu-west-1.amazonaws.com",
    }
    there = statements()["EncryptCopyeuwest1"]["Condition"]
    assert there["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/parking-prod-secrets"}


def test_only_seeing_network_interfaces_is_allowed_on_everything() -> None:
    everything = [sid for sid, one in statements().items() if "*" in one["Resource"]]

    assert everything == ["SeeTheNetwork"]
    assert not [one for one in statements().values() if any(action.endswith("*") for action in one["Action"])]


def test_without_other_regions_there_is_nothing_to_copy() -> None:
    policy = built(copy_to=()).recorder.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]

    assert "Copy" not in str(policy)


def test_every_secret_is_rotated_on_time_once_its_logins_are_there() -> None:
    made = built()
    for name in ("database-owner", "database-user-auth"):
        rotation = made.recorder.one(ROTATION, f"password-rotation-{name}")
        assert rotation.inputs["rotationRules"] == {"automaticallyAfterDays": EVERY_DAYS}
        assert rotation.inputs["rotateImmediately"] is False
        waits = made.depends_on(ROTATION, f"password-rotation-{name}")
        assert {"password-rotation-permission", "migrations"} <= set(waits)


def test_secrets_manager_of_this_account_and_the_schedule_may_call_it() -> None:
    recorder = built().recorder
    permissions = {
        one.inputs["principal"]: one.inputs for one in recorder.of_type("aws:lambda/permission:Permission")
    }

    assert permissions["secretsmanager.amazonaws.com"]["sourceAccount"] == "123456789012"
    assert permissions["events.amazonaws.com"]["sourceArn"].endswith("password-rotation-schedule")
    assert set(permissions) == {"secretsmanager.amazonaws.com", "events.amazonaws.com"}
    target = recorder.one("aws:cloudwatch/eventTarget:EventTarget").inputs
    assert parsed(target["input"]) == {"Step": "sync"}


def test_it_reaches_the_servers_and_secrets_manager_and_is_let_in() -> None:
    recorder = built().recorder
    out = recorder.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    entry = recorder.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs

    assert sorted((one.inputs["cidrIpv4"], one.inputs["fromPort"]) for one in out) == [
        ("0.0.0.0/0", 443),
        ("10.0.32.0/22", 5432),
        ("10.1.32.0/22", 5432),
    ]
    assert (entry["securityGroupId"], entry["fromPort"]) == ("sg-database", 5432)
    assert entry["referencedSecurityGroupId"] == "password-rotation-access-id"
    told = recorder.one(FUNCTION).inputs["vpcConfig"]
    assert told == {
        "subnetIds": ["subnet-a", "subnet-b"],
        "securityGroupIds": ["password-rotation-access-id"],
    }


def test_it_is_told_logins_and_copies_of_every_secret() -> None:
    told = parsed(built().recorder.one(FUNCTION).inputs["environment"]["variables"]["SETTINGS"])

    assert told["secrets"][f"{ARN}database-user-auth-aaaaaa"] == {
        "logins": list(LOGINS),
        "copies": [{"region": "eu-west-1", "name": "parking-prod-euw1-database-user-auth"}],
    }
    assert told["secrets"][f"{ARN}database-owner-bbbbbb"]["logins"] == ["parking_owner"]
    assert (told["host"], told["port"]) == ("writer.database.prod.internal", 5432)


def test_a_change_has_reached_every_pooler_before_the_next() -> None:
    assert REFRESH_MINUTES * 60 * 2 <= SETTLE_SECONDS <= EVERY_DAYS * 86_400


def test_a_failed_rotation_is_an_alarm_with_a_page() -> None:
    alarms = built().recorder.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    sections = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert sorted(alarm.inputs["metricName"] for alarm in alarms) == [
        "Errors",
        "Invocations",
        "OldestPasswordDays",
    ]
    assert all(alarm.inputs["alarmActions"] == [TOPIC] for alarm in alarms)
    assert {rule.key for rule in password_rotation.rules()} <= set(sections)


def test_what_it_carries_runs_by_itself(tmp_path: Path) -> None:
    """The archive's files alone, without what is installed here but boto3, which Lambda brings."""
    code = built().recorder.one(FUNCTION).inputs["code"]
    files: dict[str, Any] = code.assets if hasattr(code, "assets") else {}
    assert "pg8000/native.py" in files
    for name, asset in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = asset.text if hasattr(asset, "text") else Path(asset.path).read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
    (tmp_path / "boto3.py").touch()
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").touch()
    (tmp_path / "botocore" / "config.py").write_text("class Config:\n    def __init__(self, **_): ...\n")
    (tmp_path / "botocore" / "exceptions.py").write_text(
        "class BotoCoreError(Exception): ...\nclass ClientError(Exception): ...\n"
    )
    script = (
        "from password_rotation_function import handler\n"
        "import ssl; ssl.create_default_context(cadata=handler._AUTHORITIES.read_text())\n"
        "print(handler.handler.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "handler\n", done.stderr


def test_packages_are_sent_as_sources_and_one_that_is_not_there_is_told() -> None:
    assert {name.rpartition(".")[2] for name in sources(PACKAGES)} == {"py", "dist-info/METADATA"}
    with pytest.raises(PackageMissingError, match="run bin/setup"):
        sources(["no-such-package"])
    with pytest.raises(PackageMissingError, match="compiled modules"):
        sources(["pydantic-core"])


def test_renewing_and_switching_take_turns() -> None:
    first = {"username": "auth", "password": "a", "auth_password": "a", "auth_alternate_password": "a"}
    second = following(first, logins=LOGINS, new="b")
    third = following(second, logins=LOGINS, new="unused")
    fourth = following(third, logins=LOGINS, new="c")
    fifth = following(fourth, logins=LOGINS, new="unused")

    served = [(one["username"], one["password"]) for one in (first, second, third, fourth, fifth)]
    assert served == [
        ("auth", "a"),
        ("auth", "a"),
        ("auth_alternate", "b"),
        ("auth_alternate", "b"),
        ("auth", "c"),
    ]
    assert [renewed(a, b, logins=LOGINS) for a, b in ((first, second), (second, third), (third, fourth))] == [
        ["auth_alternate"],
        [],
        ["auth"],
    ]


def test_a_single_login_is_renewed_in_place() -> None:
    before = {"username": "parking_owner", "password": "a", "port": "5432"}
    after = following(before, logins=["parking_owner"], new="b")

    assert after == {**before, "password": "b"}
    assert renewed(before, after, logins=["parking_owner"]) == ["parking_owner"]


def test_a_secret_of_somebody_else_is_refused() -> None:
    with pytest.raises(DocumentError, match="not of auth or auth_alternate"):
        following({"username": "parking", "password": "a"}, logins=LOGINS, new="b")
    with pytest.raises(DocumentError, match="no password of auth_alternate"):
        password_of({"username": "auth", "password": "a"}, "auth_alternate")


def test_function_and_program_mean_the_same_field() -> None:
    assert password_of({password_field("auth"): "a"}, "auth") == "a"
