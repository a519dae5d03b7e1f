"""Hand-written rules for data, identity and operations types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.rule_makers import at_creation, at_most, between, matches, needs, one_of
from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import Unknown, entries, fields, has_unknown, number, plain, quote, text

_SIZES: Final[list[str]] = [
    "large",
    "xlarge",
    "2xlarge",
    "4xlarge",
    "8xlarge",
    "12xlarge",
    "16xlarge",
    "24xlarge",
]
# Sizes ElastiCache offers in each family; there is, for instance, no cache.r6g.medium.
_CACHE: Final[Mapping[str, list[str]]] = {
    "t2": ["micro", "small", "medium"],
    "t3": ["micro", "small", "medium"],
    "t4g": ["micro", "small", "medium"],
    "m4": ["large", "xlarge", "2xlarge", "4xlarge", "10xlarge"],
    "m5": ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"],
    "m6g": _SIZES[:7],
    "m7g": _SIZES[:7],
    "r4": ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"],
    "r5": ["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"],
    "r6g": _SIZES[:7],
    "r6gd": _SIZES[1:7],
    "r7g": _SIZES[:7],
    "c7gn": _SIZES[:7],
}
_BROKERS: Final = frozenset({
    "kafka.t3.small",
    *(f"kafka.m5.{size}" for size in _SIZES),
    *(f"kafka.m7g.{size}" for size in _SIZES[:7]),
    *(f"express.m7g.{size}" for size in _SIZES[:7]),
})  # fmt: skip
_RETENTION: Final = (
    0,
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


def _storage(resource: Resource) -> list[Failure]:
    """Check size, type and provisioned performance together, as RDS for PostgreSQL offers them."""
    inputs, failures = resource.inputs, list[Failure]()
    size, iops = number(inputs.get("allocatedStorage")), number(inputs.get("iops"))
    throughput, kind = number(inputs.get("storageThroughput")), text(inputs.get("storageType"))
    if (
        isinstance(plain(inputs.get("storageType")), Unknown)
        or text(inputs.get("engine"), "postgres") != "postgres"
    ):
        return []
    if size is not None and not 20 <= size <= 65536 and kind != "standard":
        failures.append(Failure("allocatedStorage", f"is {text(size)} GiB; RDS takes 20 to 65,536"))
    if kind in {"io1", "io2"} and inputs.get("iops") is None:
        failures.append(Failure("iops", f"missing: storage type {kind} requires it"))
    if kind in {"gp2", "standard"} and iops:
        failures.append(
            Failure("iops", f"is {text(iops)}; storage type {kind} takes none (gp3, io1 and io2 do)")
        )
    if kind != "gp3" and throughput and kind:
        failures.append(
            Failure("storageThroughput", f"is given; storage type {kind} takes none, only gp3 does")
        )
    if kind == "gp3" and size is not None:
        failures += _gp3(size, iops, throughput)
    if kind in _PROVISIONED and iops and size is not None:
        failures += _provisioned(kind, size, iops)
    return failures


# IOPS for each GiB, of 1,000 to 256,000: CreateDBInstance has 0.5 to 50; io2 Block Express goes to 1,000.
_PROVISIONED: Final = {"io1": 50, "io2": 1000}


def _provisioned(kind: str, size: float, iops: float) -> list[Failure]:
    most = min(256_000, int(size * _PROVISIONED[kind]))
    least = max(1_000, int(size / 2))
    if size < 100:
        return [Failure("allocatedStorage", f"is {text(size)} GiB; storage type {kind} takes 100 to 65,536")]
    if least <= iops <= most:
        return []
    reason = (
        f"is {text(iops)}; {kind} of {text(size)} GiB takes {least:,} to {most:,} "
        f"(0.5 to {_PROVISIONED[kind]:,} for each GiB, 256,000 at most)"
    )
    return [Failure("iops", reason)]


def _gp3(size: float, iops: float | None, throughput: float | None) -> list[Failure]:
    failures: list[Failure] = []
    if size < 400:
        if iops not in (None, 0, 3000):
            failures.append(Failure("iops", f"is {text(iops)}; gp3 under 400 GiB is fixed at 3,000"))
        if throughput not in (None, 0, 125):
            failures.append(
                Failure(
                    "storageThroughput", f"is {text(throughput)}; gp3 under 400 GiB is fixed at 125 MiB/s"
                )
            )
        return failures
    if iops and not 12_000 <= iops <= 64_000:
        failures.append(Failure("iops", f"is {text(iops)}; gp3 from 400 GiB takes 12,000 to 64,000"))
    if throughput and not 500 <= throughput <= 4_000:
        failures.append(
            Failure("storageThroughput", f"is {text(throughput)}; gp3 from 400 GiB takes 500 to 4,000 MiB/s")
        )
    elif throughput and throughput > (iops or 12_000) / 4:
        reason = (
            f"is {text(throughput)}; gp3 gives a quarter MiB/s for each of its {text(iops or 12_000)} IOPS"
        )
        failures.append(Failure("storageThroughput", reason))
    return failures


def _password(resource: Resource) -> list[Failure]:
    inputs = resource.inputs
    ways = ("password", "passwordWo", "manageMasterUserPassword", "replicateSourceDb", "snapshotIdentifier")
    if any(inputs.get(name) is not None for name in (*ways, "restoreToPointInTime")):
        return []
    return [Failure("password", "missing: give password, passwordWo or manageMasterUserPassword")]


def _cache_node(resource: Resource) -> list[Failure]:
    found = resource.inputs.get("nodeType")
    given = text(found)
    prefix, family, size = [*given.split("."), "", ""][:3]
    if not given or (prefix == "cache" and family not in _CACHE and size):
        return []
    if prefix == "cache" and size in _CACHE.get(family, []):
        return []
    has = ", ".join(f"cache.{family}.{known}" for known in _CACHE.get(family, [])) or "cache.<family>.<size>"
    reason = f"is {quote(found)}; there is no such ElastiCache node type (that family has {has})"
    return [Failure("nodeType", reason)]


def _cache_failover(resource: Resource) -> list[Failure]:
    inputs, failures = resource.inputs, list[Failure]()
    automatic = plain(inputs.get("automaticFailoverEnabled"))
    if plain(inputs.get("multiAzEnabled")) is True and automatic is not True and not has_unknown(automatic):
        failures.append(
            Failure("multiAzEnabled", "is true; that requires automaticFailoverEnabled to be true")
        )
    secure = plain(inputs.get("transitEncryptionEnabled"))
    if inputs.get("authToken") is not None and secure is not True and not has_unknown(secure):
        failures.append(Failure("authToken", "is given; that requires transitEncryptionEnabled to be true"))
    if text(inputs.get("durability")) in {"sync", "async"}:
        failures += _durability(resource)
    return failures


def _durability(resource: Resource) -> list[Failure]:
    inputs = resource.inputs
    version = text(inputs.get("engineVersion"))
    wanted = {
        "engine": text(inputs.get("engine")) == "valkey",
        "engineVersion": not version or int(version.partition(".")[0]) >= 9,
        "transitEncryptionEnabled": plain(inputs.get("transitEncryptionEnabled")) is True,
        "multiAzEnabled": plain(inputs.get("multiAzEnabled")) is True,
    }
    return [
        Failure(name, "does not go with durability, which takes valkey 9.0 or later, Multi-AZ and TLS")
        for name, fits in wanted.items()
        if not fits and not has_unknown(inputs.get(name))
    ]


def _brokers(resource: Resource) -> list[Failure]:
    inputs, failures = resource.inputs, list[Failure]()
    group = fields(inputs.get("brokerNodeGroupInfo"))
    subnets, count = entries(group.get("clientSubnets")), number(inputs.get("numberOfBrokerNodes"))
    if subnets and count is not None and count % len(subnets):
        reason = f"is {text(count)}; expected a multiple of the {len(subnets)} client subnets"
        failures.append(Failure("numberOfBrokerNodes", reason))
    given = text(group.get("instanceType"))
    if given and given not in _BROKERS:
        known = ", ".join(sorted(_BROKERS)[:4])
        reason = f"is {quote(group.get('instanceType'))}; there is no such broker type (for instance {known})"
        failures.append(Failure("brokerNodeGroupInfo.instanceType", reason))
    return failures


def _threshold(resource: Resource) -> list[Failure]:
    inputs = resource.inputs
    if inputs.get("metricQueries") is None and inputs.get("metricName") is None:
        return [Failure("metricName", "missing: give metricName or metricQueries")]
    return []


_NAME: Final = matches("name", r"[\w+=,.@-]{1,64}", "1 to 64 letters, digits and + = , . @ - _")
_IDENTIFIER: Final = matches(
    "identifier",
    r"(?=.{1,63}\Z)[a-z](-?[a-z0-9])*",
    "1 to 63 lower-case letters, digits and single hyphens, a letter first",
)
_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d"
_DAY: Final = r"(?i:mon|tue|wed|thu|fri|sat|sun)"
_WEEK: Final = matches(
    "maintenanceWindow", rf"{_DAY}:{_CLOCK}-{_DAY}:{_CLOCK}", "a window such as sun:05:00-sun:06:00 (UTC)"
)


def _daily(path: str) -> Checker:
    return matches(path, rf"{_CLOCK}-{_CLOCK}", "a window such as 03:00-04:00 (UTC)")


_BUCKET: Final = matches(
    "bucket",
    r"(?!xn--)(?!sthree-)(?!\d+\.\d+\.\d+\.\d+\Z)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "3 to 63 lower-case letters, digits, dots and hyphens",
)

TABLE: Final[Mapping[str, list[Checker]]] = {
    "rds:Instance": [
        _IDENTIFIER,
        matches(
            "engine",
            r"postgres|mysql|mariadb|aurora-(mysql|postgresql)|(custom-)?(oracle|sqlserver)-[a-z0-9-]+|db2-(ae|se)",
            "an engine such as postgres, mysql or mariadb",
        ),
        # A promoted replica has them of what it followed.
        at_creation(
            needs(
                "engine",
                "username",
                "allocatedStorage",
                unless=("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime", "s3Import"),
            )
        ),
        _daily("backupWindow"),
        _WEEK,
        one_of("monitoringInterval", (0, 1, 5, 10, 15, 30, 60)),
        one_of("networkType", ("IPV4", "DUAL")),
        one_of(
            "enabledCloudwatchLogsExports",
            (
                "agent",
                "alert",
                "audit",
                "diag.log",
                "error",
                "general",
                "iam-db-auth-error",
                "listener",
                "notify.log",
                "oemagent",
                "postgresql",
                "slowquery",
                "trace",
                "upgrade",
            ),
        ),
        between("backupRetentionPeriod", 0, 35),
        between("port", 1150, 65535),
        _storage,
        at_creation(_password),
    ],
    "rds:ParameterGroup": [one_of("parameters.applyMethod", ("immediate", "pending-reboot"))],
    "elasticache:ReplicationGroup": [
        matches(
            "replicationGroupId",
            r"(?=.{1,40}\Z)[a-zA-Z](-?[a-zA-Z0-9])*",
            "1 to 40 letters, digits and single hyphens, a letter first",
        ),
        one_of("engine", ("redis", "valkey")),
        one_of("transitEncryptionMode", ("preferred", "required")),
        one_of("clusterMode", ("enabled", "disabled", "compatible")),
        one_of("durability", ("async", "sync", "disabled", "default")),
        _daily("snapshotWindow"),
        _WEEK,
        between("numNodeGroups", 1, 500),
        between("replicasPerNodeGroup", 0, 5),
        between("numCacheClusters", 1, 6),
        between("snapshotRetentionLimit", 0, 35),
        _cache_node,
        _cache_failover,
    ],
    "elasticache:Cluster": [
        _cache_node,
        one_of("engine", ("memcached", "redis", "valkey")),
        at_most("clusterId", 50),
    ],
    "elasticache:User": [one_of("engine", ("redis", "valkey", "REDIS", "VALKEY"))],
    "msk:Cluster": [
        at_most("clusterName", 64),
        matches("kafkaVersion", r"\d+\.\d+(\.\d+|\.x)(\.kraft|\.tiered)?", "a Kafka version such as 3.9.x"),
        one_of("encryptionInfo.encryptionInTransit.clientBroker", ("TLS", "TLS_PLAINTEXT", "PLAINTEXT")),
        one_of(
            "enhancedMonitoring", ("DEFAULT", "PER_BROKER", "PER_TOPIC_PER_BROKER", "PER_TOPIC_PER_PARTITION")
        ),
        one_of("storageMode", ("LOCAL", "TIERED")),
        between("brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize", 1, 16384),
        _brokers,
    ],
    "msk:Topic": [between("partitionCount", 1, 100_000), between("replicationFactor", 1, 5)],
    "s3:Bucket": [_BUCKET],
    "s3:BucketV2": [_BUCKET],
    "iam:Role": [_NAME, between("maxSessionDuration", 3600, 43200), at_most("description", 1000)],
    "iam:Policy": [matches("name", r"[\w+=,.@-]{1,128}", "1 to 128 letters, digits and + = , . @ - _")],
    "iam:InstanceProfile": [at_most("name", 128)],
    "kms:Key": [
        between("deletionWindowInDays", 7, 30),
        between("rotationPeriodInDays", 90, 2560),
        one_of("keyUsage", ("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")),
    ],
    "kms:Alias": [
        matches("name", r"alias/(?!aws/)[a-zA-Z0-9/_-]+", "alias/ and a name that does not begin with aws/")
    ],
    "secretsmanager:Secret": [at_most("name", 512), one_of("recoveryWindowInDays", (0, *range(7, 31)))],
    "cloudwatch:LogGroup": [
        one_of("retentionInDays", _RETENTION),
        one_of("logGroupClass", ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
        matches("name", r"[\w./#-]{1,512}", "1 to 512 letters, digits and . - _ / #"),
    ],
    "cloudwatch:MetricAlarm": [
        _threshold,
        one_of(
            "comparisonOperator",
            (
                "GreaterThanOrEqualToThreshold",
                "GreaterThanThreshold",
                "LessThanThreshold",
                "LessThanOrEqualToThreshold",
                "LessThanLowerOrGreaterThanUpperThreshold",
                "LessThanLowerThreshold",
                "GreaterThanUpperThreshold",
            ),
        ),
        one_of("statistic", ("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        one_of("treatMissingData", ("missing", "ignore", "breaching", "notBreaching")),
        between("evaluationPeriods", 1, 86400),
    ],
    "lambda:Function": [
        between("timeout", 1, 900),
        between("memorySize", 128, 10240),
        one_of("packageType", ("Zip", "Image")),
        one_of("architectures", ("x86_64", "arm64")),
        one_of("tracingConfig.mode", ("Active", "PassThrough")),
        at_most("name", 140),
    ],
    "lambda:Permission": [matches("action", r"lambda:\w+\*?|\*", "an action such as lambda:InvokeFunction")],
    "ecr:Repository": [
        one_of(
            "imageTagMutability",
            ("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"),
        ),
        one_of("encryptionConfigurations.encryptionType", ("AES256", "KMS", "KMS_DSSE")),
        matches(
            "name",
            r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
            "a lower-case repository name",
        ),
    ],
    "backup:Plan": [
        matches("rules.schedule", r"(cron|rate|at)\(.+\)", "an expression such as cron(0 3 * * ? *)")
    ],
    "backup:Vault": [
        matches("name", r"[a-zA-Z0-9_-]{2,50}", "2 to 50 letters, digits, hyphens and underscores")
    ],
    "sqs:Queue": [
        between("visibilityTimeoutSeconds", 0, 43200),
        between("messageRetentionSeconds", 60, 1_209_600),
    ],
    "budgets:Budget": [
        one_of(
            "budgetType",
            (
                "COST",
                "USAGE",
                "SAVINGS_PLANS_UTILIZATION",
                "RI_UTILIZATION",
                "SAVINGS_PLANS_COVERAGE",
                "RI_COVERAGE",
            ),
        ),
        one_of("timeUnit", ("DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY", "CUSTOM")),
    ],
    "appautoscaling:Policy": [
        one_of("policyType", ("StepScaling", "TargetTrackingScaling", "PredictiveScaling"))
    ],
}
