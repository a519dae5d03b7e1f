"""AWS as the operations see it: few questions and few changes, each safe to repeat."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from infra.ops.errors import CloudError

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=5, read_timeout=10)
"""Passing errors are asked again; a region that is out, or takes calls and never answers, is known within a minute:
four times ten seconds, and up to 1, 2 and 4 seconds between them."""
_ROUNDS = 3
"""How often those attempts are made when a service says that it is asked too often."""
_BRIEF = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
"""For a region that did not answer before: asked once more, so that a failover waits a minute for it, and once."""
_WITHOUT_A_REGION = ("route53",)
"""Services whose answers say nothing of the region that they are asked in."""
_BUSY = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "SlowDown", "TooManyRequestsException")
"""Answers of a service that is well and was asked too often; some carry the status of a failure."""
_LAG_WINDOW = timedelta(minutes=5)
READER_SCALING_TAG = ("managed-by", "reader-autoscaling")
"""Carried by readers that the reader scaling made, and makes again."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One PostgreSQL server as AWS describes it.

    Attributes:
        identifier: Its identifier.
        arn: Its ARN.
        status: `available` when it serves.
        source: Identifier or ARN of the server it replicates; none: it takes writes.
        address: Its DNS name; empty while it is made.
        security_groups: Its security groups.
        raw: Everything that AWS says of it.
    """

    identifier: str
    arn: str
    status: str
    source: str | None
    address: str
    security_groups: tuple[str, ...]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return {tag["Key"]: tag["Value"] for tag in self.raw.get("TagList", [])}

    @property
    def is_scaled(self) -> bool:
        """Whether the reader scaling made it."""
        return READER_SCALING_TAG in self.tags.items()


class Cloud:
    """The AWS account, in all regions; an endpoint in the environment (AWS_ENDPOINT_URL) stands in for it.

    Every method raises `CloudError`, also when a region does not answer.
    """

    @functools.cached_property
    def _silent(self) -> set[str]:
        """Regions that did not answer the last time."""
        return set()

    def client(self, service: str, region: str) -> Any:
        """A client of one service in one region."""
        return _client(service, region, brief=region in self._silent and service not in _WITHOUT_A_REGION)

    def ask(self, service: str, region: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call one operation, with errors in our words."""
        try:
            answer = self._patiently(service, region, operation, arguments)
        except ClientError as error:
            response = cast("Mapping[str, Any]", vars(error)["response"])
            details, out = response["Error"], _is_out(response)
            self._remember(service, region, silent=out)
            raise CloudError(
                region=region,
                operation=f"{service} {operation}",
                code=str(details.get("Code", "error")),
                message=str(details.get("Message", error)),
                unreachable=out,
            ) from error
        except (BotoCoreError, NoConnectionError, HTTPClientError) as error:
            unreachable = isinstance(error, (NoConnectionError, HTTPClientError))
            self._remember(service, region, silent=unreachable)
            raise CloudError(
                region=region,
                operation=f"{service} {operation}",
                code=type(error).__name__,
                message=str(error),
                unreachable=unreachable,
            ) from error
        self._remember(service, region, silent=False)
        return answer

    def _patiently(
        self, service: str, region: str, operation: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        for left in reversed(range(_ROUNDS)):
            try:
                answer: dict[str, Any] = getattr(self.client(service, region), operation)(**arguments)
            except ClientError as error:
                code = cast("Mapping[str, Any]", vars(error)["response"])["Error"].get("Code")
                if code not in _BUSY or not left:
                    raise
            else:
                return answer
        raise AssertionError("the last round returns or raises")

    def _remember(self, service: str, region: str, *, silent: bool) -> None:
        if silent and service not in _WITHOUT_A_REGION:
            self._silent.add(region)
        elif service not in _WITHOUT_A_REGION:
            self._silent.discard(region)

    def caller(self, region: str) -> str:
        """ARN of who is asking, for the audit."""
        return str(self.ask("sts", region, "get_caller_identity")["Arn"])

    # Databases

    def server(self, region: str, identifier: str) -> Server | None:
        """One server; none when there is none of that name."""
        try:
            found = self.ask("rds", region, "describe_db_instances", DBInstanceIdentifier=identifier)
        except CloudError as error:
            if error.code in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                return None
            raise
        return _server(found["DBInstances"][0])

    def servers(self, region: str, prefix: str) -> list[Server]:
        """Servers whose identifiers begin so, by identifier."""
        found = self.ask("rds", region, "describe_db_instances")["DBInstances"]
        mine = [_server(one) for one in found if one["DBInstanceIdentifier"].startswith(prefix)]
        return sorted(mine, key=lambda server: server.identifier)

    def lag(self, region: str, identifier: str, *, since: datetime | None = None) -> float | None:
        """Replication lag in seconds, the newest minute's worst; none when nothing was measured lately.

        Args:
            region: Where the replica is.
            identifier: The replica.
            since: Only what was measured after this moment.
        """
        now = datetime.now(UTC)
        found = self.ask(
            "cloudwatch",
            region,
            "get_metric_statistics",
            Namespace="AWS/RDS",
            MetricName="ReplicaLag",
            Dimensions=[{"Name": "DBInstanceIdentifier", "Value": identifier}],
            StartTime=now - _LAG_WINDOW,
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )
        points = [
            (point["Timestamp"], float(point["Maximum"]))
            for point in found["Datapoints"]
            if since is None or point["Timestamp"] >= since.replace(second=0, microsecond=0)
        ]
        return max(points)[1] if points else None

    # Names

    def zone_id(self, domain: str) -> str | None:
        """The private zone of a domain."""
        found = self.ask("route53", "us-east-1", "list_hosted_zones_by_name", DNSName=domain)["HostedZones"]
        ids = [zone["Id"].rpartition("/")[2] for zone in found if zone["Name"].rstrip(".") == domain]
        return ids[0] if ids else None

    def name_target(self, zone_id: str, name: str) -> str | None:
        """What a CNAME of a zone points to."""
        found = self.ask(
            "route53",
            "us-east-1",
            "list_resource_record_sets",
            HostedZoneId=zone_id,
            StartRecordName=name,
            StartRecordType="CNAME",
            MaxItems="1",
        )["ResourceRecordSets"]
        for record in found:
            if record["Name"].rstrip(".") == name:
                return str(record["ResourceRecords"][0]["Value"]).rstrip(".")
        return None

    def move_name(self, zone_id: str, name: str, *, target: str, ttl: int) -> str:
        """Point a CNAME elsewhere; gives the change, to be waited for."""
        record = {"Name": name, "Type": "CNAME", "TTL": ttl, "ResourceRecords": [{"Value": target}]}
        changed = self.ask(
            "route53",
            "us-east-1",
            "change_resource_record_sets",
            HostedZoneId=zone_id,
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
        )
        return str(changed["ChangeInfo"]["Id"]).rpartition("/")[2]

    def name_is_spread(self, change: str) -> bool:
        """Whether all of Route 53's servers know a change."""
        found = self.ask("route53", "us-east-1", "get_change", Id=change)
        return found["ChangeInfo"]["Status"] == "INSYNC"

    # Nodes

    def node_groups(self, region: str, cluster: str) -> dict[str, dict[str, int]]:
        """Scaling (minSize, maxSize, desiredSize) of each node group of a cluster; empty without a cluster."""
        try:
            names: Sequence[str] = self.ask("eks", region, "list_nodegroups", clusterName=cluster)[
                "nodegroups"
            ]
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return {}
            raise
        groups: dict[str, dict[str, int]] = {}
        for name in sorted(names):
            found = self.ask("eks", region, "describe_nodegroup", clusterName=cluster, nodegroupName=name)
            groups[name] = dict(found["nodegroup"]["scalingConfig"])
        return groups


def _is_out(response: Mapping[str, Any]) -> bool:
    """Whether an error says that the region is out: the service itself fails, also when asked again."""
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 and response["Error"].get("Code") not in _BUSY


@functools.lru_cache(maxsize=64)
def _client(service: str, region: str, *, brief: bool) -> Any:
    # boto3 ships without complete types.
    make: Callable[..., Any] = vars(boto3)["client"]
    return make(service, region_name=region, config=_BRIEF if brief else _CONFIG)


def _server(found: Mapping[str, Any]) -> Server:
    return Server(
        identifier=found["DBInstanceIdentifier"],
        arn=found["DBInstanceArn"],
        status=found["DBInstanceStatus"],
        source=found.get("ReadReplicaSourceDBInstanceIdentifier") or None,
        address=found.get("Endpoint", {}).get("Address", ""),
        security_groups=tuple(
            group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", []) if group
        ),
        raw=found,
    )
