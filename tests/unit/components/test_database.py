"""PostgreSQL of a region: the specification's sizes, one head whose names survive a change of role."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.alarms import Alerting
from components.database import Database, ReplicationSource
from components.postgres_parameters import Apply, catalogue, family
from infra.model.stack import DatabaseSettings, Environment, Role
from infra.naming import StackContext
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import (
    ALERTING,
    DATA_KEY,
    LOG_KEY,
    SECRETS_KEY,
    TOPIC,
    URGENT_TOPIC,
    revealed,
    site,
)
from tests.unit.recording import Recorded, parsed

INSTANCE = "aws:rds/instance:Instance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
SUBNETS = "aws:rds/subnetGroup:SubnetGroup"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
STORED = "aws:secretsmanager/secret:Secret"
ROLE = "aws:iam/role:Role"

GIVEN = "made-elsewhere"
SOURCE = ReplicationSource(arn="arn:aws:rds:us-east-1:123456789012:db:parking-prod-database")


def build_database(
    *,
    settings: DatabaseSettings | None = None,
    within: StackContext | None = None,
    source: ReplicationSource | None = None,
    owner_password: str | None = None,
    alerting: Alerting | None = ALERTING,
    zones: tuple[str, ...] = ("us-east-1a", "us-east-1b", "us-east-1c"),
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        database = Database(
            "database",
            context=within or context(),
            settings=settings or DatabaseSettings(),
            site=site(alerting=alerting, zones=zones),
            key_arn=DATA_KEY,
            source=source,
            owner_password=owner_password,
            opts=opts,
        )
        return {
            "address": database.address,
            "readers": database.reader_addresses,
            "recovery": database.recovery_addresses,
            "secret": database.secret_arn,
        }

    return build(make)


@cache
def primary() -> Built:
    return build_database()


@cache
def secondary() -> Built:
    return build_database(source=SOURCE, owner_password=GIVEN)


def head(built: Built) -> Recorded:
    return built.recorder.one(INSTANCE, "database-head")


def servers(built: Built) -> list[Recorded]:
    return sorted(built.recorder.of_type(INSTANCE), key=lambda server: server.name)


def readers(built: Built) -> list[Recorded]:
    return [server for server in servers(built) if server.name.startswith("database-reader-")]


def staging() -> StackContext:
    return StackContext(
        environment=Environment.STAGING,
        region="us-west-2",
        role=Role.PRIMARY,
        owner="platform",
        cost_centre="parking",
        protect=False,
    )


def alarms(built: Built) -> dict[str, dict[str, Any]]:
    return {alarm.name: alarm.inputs for alarm in built.recorder.of_type(ALARM)}


def test_the_writer_has_the_size_that_the_specification_asks_for() -> None:
    inputs = head(primary()).inputs

    assert inputs["engine"] == "postgres"
    assert inputs["engineVersion"].startswith("17.")
    assert inputs["instanceClass"] == "db.r6g.2xlarge"
    assert inputs["allocatedStorage"] == 1024
    assert inputs["storageType"] == "gp3"
    assert inputs["iops"] == 16_000
    assert inputs["multiAz"] is True
    assert "replicateSourceDb" not in inputs
    assert "availabilityZone" not in inputs


def test_three_readers_of_the_specified_class_stand_in_three_zones() -> None:
    found = readers(primary())

    assert [reader.name for reader in found] == [
        "database-reader-1",
        "database-reader-2",
        "database-reader-3",
    ]
    assert {reader.inputs["instanceClass"] for reader in found} == {"db.r6g.xlarge"}
    assert [reader.inputs["availabilityZone"] for reader in found] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1c",
    ]


def test_readers_replicate_from_their_own_regions_head_and_take_its_subnets() -> None:
    for built in (primary(), secondary()):
        for reader in readers(built):
            assert reader.inputs["replicateSourceDb"] == "parking-prod-database"
            assert "dbSubnetGroupName" not in reader.inputs


def test_the_order_of_the_zones_never_moves_a_reader() -> None:
    shuffled = readers(build_database(zones=("us-east-1c", "us-east-1a", "us-east-1b")))

    assert [reader.inputs["availabilityZone"] for reader in shuffled] == [
        "us-east-1a",
        "us-east-1b",
        "us-east-1c",
    ]


def test_a_zone_added_later_rebuilds_no_reader() -> None:
    options = primary().options[INSTANCE, "database-reader-3"]

    assert options.ignore_changes == ["availabilityZone"]


def test_the_primary_region_keeps_no_recovery_replica() -> None:
    built = primary()

    assert len(built.recorder.of_type(INSTANCE)) == 4
    assert built.outputs["recovery"] == []


def test_a_secondary_region_keeps_two_recovery_replicas_of_the_writers_class_and_three_readers() -> None:
    built = secondary()
    copies = [r for r in servers(built) if r.inputs["replicateSourceDb"] == SOURCE.arn]

    assert [copy.name for copy in copies] == ["database-head", "database-recovery-2"]
    assert {copy.inputs["instanceClass"] for copy in copies} == {"db.r6g.2xlarge"}
    assert {copy.inputs["iops"] for copy in copies} == {16_000}
    assert len(readers(built)) == 3
    assert len(built.recorder.of_type(INSTANCE)) == 5


def test_every_server_that_feeds_replicas_keeps_backups() -> None:
    writer, copy = head(primary()), head(secondary())

    assert writer.inputs["backupRetentionPeriod"] >= 14
    assert copy.inputs["backupRetentionPeriod"] >= 14


def test_a_change_of_role_changes_nothing_of_the_head_but_source_and_ownership() -> None:
    writer, copy = head(primary()).inputs, head(secondary()).inputs
    changed = {key for key in writer.keys() | copy.keys() if writer.get(key) != copy.get(key)}

    assert changed == {
        "replicateSourceDb",
        "username",
        "password",
        "dbName",
        "finalSnapshotIdentifier",
        "skipFinalSnapshot",
    }


def test_no_change_of_role_ever_replaces_the_head() -> None:
    writer = primary().options[INSTANCE, "database-head"]
    copy = secondary().options[INSTANCE, "database-head"]

    assert writer.replace_on_changes is None
    assert set(writer.ignore_changes or []) == {"username", "dbName", "password"}
    assert copy.replace_on_changes is None
    # A former writer can be no replica, and its fence is the failover's.
    assert set(copy.ignore_changes or []) == {"replicateSourceDb", "vpcSecurityGroupIds"}


def test_a_head_made_anew_takes_its_readers_with_it() -> None:
    options = primary().options[INSTANCE, "database-reader-1"]

    assert [head.pulumi_resource_name for head in options.replace_with or []] == ["database-head"]


def test_the_head_is_protected_by_pulumi_and_aws_in_both_roles_and_nothing_else_stands_in_a_failovers_way() -> (
    None
):
    for source in (None, SOURCE):
        built = build_database(source=source)
        protected = {name for kind, name in built.protected() if kind == INSTANCE}

        assert protected == {"database-head"}
        assert head(built).inputs["deletionProtection"] is True
        others = [r for r in built.recorder.of_type(INSTANCE) if r.name != "database-head"]
        assert {other.inputs["deletionProtection"] for other in others} == {False}


def test_without_protection_nothing_refuses_deletion() -> None:
    built = build_database(within=context(protect=False))

    assert built.protected() == set()
    assert head(built).inputs["deletionProtection"] is False


def test_a_writer_leaves_a_final_snapshot_and_a_replica_none() -> None:
    writer, copy = head(primary()).inputs, head(secondary()).inputs

    assert writer["skipFinalSnapshot"] is False
    assert writer["finalSnapshotIdentifier"].startswith("parking-prod-database-final-")
    assert writer["copyTagsToSnapshot"] is True
    assert copy["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in copy


def test_every_server_is_encrypted_with_the_customers_key_and_out_of_the_internets_reach() -> None:
    for server in secondary().recorder.of_type(INSTANCE):
        assert server.inputs["storageEncrypted"] is True
        assert server.inputs["kmsKeyId"] == DATA_KEY
        assert server.inputs["performanceInsightsKmsKeyId"] == DATA_KEY
        assert server.inputs["publiclyAccessible"] is False
        assert server.inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"


def test_every_server_is_observed_twice_a_minute_and_by_insights() -> None:
    for server in primary().recorder.of_type(INSTANCE):
        assert server.inputs["monitoringInterval"] == 30
        assert server.inputs["performanceInsightsEnabled"] is True
        assert server.inputs["databaseInsightsMode"] == "standard"


def test_only_rds_may_take_the_monitoring_role() -> None:
    role = primary().recorder.one(ROLE)

    [statement] = parsed(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert role.inputs["name"] == "parking-prod-use1-database-monitoring"


def test_the_owners_password_is_generated_once_and_kept_in_every_region_under_its_own_key() -> None:
    writer, copy = primary(), secondary()

    assert revealed(head(writer).inputs["password"]) == "generated-value"
    assert writer.recorder.one(STORED).inputs["kmsKeyId"] == SECRETS_KEY
    assert copy.recorder.one(STORED).inputs["kmsKeyId"] == SECRETS_KEY
    assert copy.recorder.of_type("random:index/randomPassword:RandomPassword") == []
    [version] = copy.recorder.of_type("aws:secretsmanager/secretVersion:SecretVersion")
    assert parsed(revealed(version.inputs["secretString"]))["password"] == GIVEN
    for server in (*readers(writer), *copy.recorder.of_type(INSTANCE)):
        assert not {"username", "password", "dbName"} & server.inputs.keys()


def test_only_the_given_clients_reach_the_servers_and_only_on_5432() -> None:
    recorder = primary().recorder
    rules = recorder.of_type(RULE)

    assert {
        (rule.inputs["referencedSecurityGroupId"], rule.inputs["fromPort"], rule.inputs["toPort"])
        for rule in rules
    } == {
        ("sg-pools", 5432, 5432),
        ("sg-nodes", 5432, 5432),
    }
    assert all("cidrIpv4" not in rule.inputs for rule in rules)
    assert not {"ingress", "egress"} & recorder.one(GROUP).inputs.keys()


def test_all_servers_share_one_parameter_group_with_500_connections_and_forced_tls() -> None:
    built = primary()
    group = built.recorder.one(PARAMETERS).inputs
    values = {p["name"]: (p["value"], p["applyMethod"]) for p in group["parameters"]}

    assert group["family"] == "postgres17"
    assert values["max_connections"] == ("500", "pending-reboot")
    assert values["rds.force_ssl"] == ("1", "immediate")
    assert values["rds.logical_replication"] == ("0", "pending-reboot")
    assert "log_min_duration_statement" in values
    assert float(values["autovacuum_vacuum_scale_factor"][0]) < 0.2
    assert {server.inputs["parameterGroupName"] for server in built.recorder.of_type(INSTANCE)} == {
        group["name"]
    }


def test_the_parameter_catalogue_names_each_parameter_once_in_order_with_a_reason() -> None:
    parameters = catalogue(max_connections=500)
    names = [parameter.name for parameter in parameters]

    assert names == sorted(set(names))
    assert all(parameter.why for parameter in parameters)
    assert {p.name for p in parameters if p.apply is Apply.STATIC} == {
        "max_connections",
        "shared_preload_libraries",
        "autovacuum_max_workers",
        "rds.logical_replication",
    }


def test_the_connections_are_the_settings_own() -> None:
    assert {p.name: p.value for p in catalogue(max_connections=300)}["max_connections"] == "300"


def test_the_family_follows_from_the_major_version() -> None:
    assert family("17.10") == "postgres17"
    assert family("18.2") == "postgres18"


def test_logs_go_to_groups_of_ours_that_exist_before_the_server_writes() -> None:
    built = primary()
    groups = {group.name: group.inputs for group in built.recorder.of_type(LOG_GROUP)}

    assert (
        groups["database-head-postgresql-log"]["name"] == "/aws/rds/instance/parking-prod-database/postgresql"
    )
    assert {group["kmsKeyId"] for group in groups.values()} == {LOG_KEY}
    assert {group["retentionInDays"] for group in groups.values()} == {90}
    for server in built.recorder.of_type(INSTANCE):
        exports = server.inputs["enabledCloudwatchLogsExports"]
        assert built.depends_on(INSTANCE, server.name) == [
            f"{server.name}-{export}-log" for export in exports
        ]


def test_production_waits_for_the_maintenance_window_and_staging_does_not() -> None:
    production = head(primary()).inputs
    small = build_database(
        within=staging(), settings=DatabaseSettings(storage_gib=100, iops=None, throughput_mibps=None)
    )

    assert production["applyImmediately"] is False
    assert production["maintenanceWindow"] == "mon:08:30-mon:09:30"
    assert production["backupWindow"] == "07:00-08:00"
    assert production["autoMinorVersionUpgrade"] is False
    assert head(small).inputs["applyImmediately"] is True


def test_storage_grows_by_itself_up_to_its_ceiling() -> None:
    assert head(primary()).inputs["maxAllocatedStorage"] == 4096


def test_small_storage_asks_for_no_iops() -> None:
    built = build_database(settings=DatabaseSettings(storage_gib=100, iops=None, throughput_mibps=None))

    for server in built.recorder.of_type(INSTANCE):
        assert not {"iops", "storageThroughput"} & server.inputs.keys()


def test_the_writer_is_watched_for_cpu_storage_connections_and_transaction_ids() -> None:
    found = alarms(primary())

    assert {name for name in found if name.startswith("database-head-")} == {
        "database-head-cpu-alarm",
        "database-head-storage-alarm",
        "database-head-connections-alarm",
        "database-head-transaction-ids-alarm",
    }
    assert found["database-head-connections-alarm"]["threshold"] == 400
    assert found["database-head-storage-alarm"]["threshold"] == pytest.approx(102.4 * 1024**3)
    assert found["database-head-cpu-alarm"]["threshold"] == 80
    assert found["database-head-cpu-alarm"]["dimensions"] == {"DBInstanceIdentifier": "parking-prod-database"}
    assert found["database-head-cpu-alarm"]["alarmActions"] == [TOPIC]
    assert found["database-head-cpu-alarm"]["okActions"] == [TOPIC]
    assert found["database-head-storage-alarm"]["alarmActions"] == [URGENT_TOPIC]
    assert found["database-head-cpu-alarm"]["alarmDescription"].endswith(
        "What to do: https://runbooks.example/aws-database.md#cpu"
    )
    assert found["database-head-cpu-alarm"]["datapointsToAlarm"] == 10


def test_every_replica_is_watched_for_its_lag_and_the_writer_is_not() -> None:
    found = alarms(secondary())
    lags = {name: alarm["threshold"] for name, alarm in found.items() if alarm["metricName"] == "ReplicaLag"}

    assert lags == {
        "database-head-lag-alarm": 60,
        "database-recovery-2-lag-alarm": 60,
        "database-reader-1-lag-alarm": 30,
        "database-reader-2-lag-alarm": 30,
        "database-reader-3-lag-alarm": 30,
    }
    assert "database-head-lag-alarm" not in alarms(primary())


def test_without_a_topic_alarms_tell_nobody() -> None:
    assert not any("alarmActions" in alarm for alarm in alarms(build_database(alerting=None)).values())


def test_a_region_without_readers_is_possible() -> None:
    built = build_database(settings=DatabaseSettings(readers=0, max_readers=0))

    assert built.outputs["readers"] == []
    assert len(built.recorder.of_type(INSTANCE)) == 1


def test_outputs_name_the_head_and_the_readers_in_order() -> None:
    outputs = primary().outputs

    assert outputs["address"] == "database-head.example.internal"
    assert outputs["readers"] == [f"database-reader-{number}.example.internal" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("settings", "source", "message"),
    [
        (DatabaseSettings(max_readers=14, recovery_replicas=2), None, "RDS allows 15 a source"),
        (DatabaseSettings(storage_gib=100), None, "from 400 GiB on"),
        (DatabaseSettings(recovery_replicas=0), SOURCE, "nothing to promote"),
    ],
)
def test_what_rds_refuses_late_is_refused_early(
    settings: DatabaseSettings, source: ReplicationSource | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_database(settings=settings, source=source)


def test_the_subnet_group_spans_all_zones() -> None:
    assert primary().recorder.one(SUBNETS).inputs["subnetIds"] == ["subnet-a", "subnet-b", "subnet-c"]


def test_every_taggable_resource_says_what_it_belongs_to() -> None:
    untagged = {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:secretsmanager/secretVersion:SecretVersion",
    }
    for resource in secondary().recorder.resources:
        if resource.type.startswith("aws:") and resource.type not in untagged:
            assert resource.inputs["tags"]["cost-centre"] == "parking", resource
