"""IAM statements for MSK's access control: what a client may do on a cluster, its topics and its groups.

Actions and resource types: Amazon MSK developer guide, "Semantics of IAM authorization policy actions and
resources".
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.iam import Statement, allow


class KafkaArnError(ValueError):
    """Not the ARN of an MSK cluster."""


def resource_arn(cluster_arn: str, *, kind: str, name: str) -> str:
    """ARN of a topic or group of a cluster.

    Args:
        cluster_arn: `arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>`.
        kind: `topic` or `group`.
        name: The topic's or group's name.

    Raises:
        KafkaArnError: When the ARN is not a cluster's.
    """
    if cluster_arn.count(":cluster/") != 1 or not cluster_arn.startswith("arn:"):
        raise KafkaArnError(f"{cluster_arn!r} is not the ARN of an MSK cluster (…:cluster/<name>/<uuid>)")
    return f"{cluster_arn.replace(':cluster/', f':{kind}/')}/{name}"


def client_statements(
    *, cluster_arn: str, produces: Sequence[str], consumes: Sequence[str], group: str
) -> list[Statement]:
    """What a service needs to write and read exactly its topics, in its own consumer group.

    Args:
        cluster_arn: ARN of the cluster.
        produces: Topics it writes, with an idempotent producer.
        consumes: Topics it reads.
        group: Its consumer group.

    Returns:
        IAM statements; none when the service uses no topic.
    """
    if not produces and not consumes:
        return []
    connect = ["kafka-cluster:Connect", *(["kafka-cluster:WriteDataIdempotently"] if produces else [])]
    statements: list[Statement] = [allow("KafkaConnect", connect, [cluster_arn])]
    if produces:
        topics = [resource_arn(cluster_arn, kind="topic", name=topic) for topic in sorted(produces)]
        statements.append(
            allow("KafkaProduce", ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], topics)
        )
    if consumes:
        topics = [resource_arn(cluster_arn, kind="topic", name=topic) for topic in sorted(consumes)]
        groups = [resource_arn(cluster_arn, kind="group", name=group)]
        statements += [
            allow("KafkaConsume", ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], topics),
            allow("KafkaGroup", ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], groups),
        ]
    return statements
