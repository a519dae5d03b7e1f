"""Stores: protected against deletion, backed up, their logs kept for a set time."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policy.model import UNKNOWN, Policy, Site, Subject, at, at_least, is_on, is_set
from infra.stateful import PROTECTED

LEAST_BACKUP_DAYS = 7
"""Shortest time, in days, that backups of a protected database are kept; AWS allows 35."""
LEAST_RECOVERY_DAYS = 7
"""Shortest time, in days, in which a deleted secret can be restored, for it to need no other protection."""
_FLAGS = {
    "aws:rds/instance:Instance": "deletionProtection",
    "aws:rds/cluster:Cluster": "deletionProtection",
    "aws:eks/cluster:Cluster": "deletionProtection",
    "aws:dynamodb/table:Table": "deletionProtectionEnabled",
    "aws:lb/loadBalancer:LoadBalancer": "enableDeletionProtection",
}
LONGEST_LOGS_DAYS = 3653
"""Ten years: longer is as good as for ever."""


def _is_replica(subject: Subject) -> bool:
    """A copy can be made again from its source.

    One whose source the engine leaves alone is declared a copy. After a failover it may be a former writer, behind its
    fence, until the operations tool has kept a snapshot of it and made it anew.
    """
    return is_set(at(subject.props, "replicateSourceDb")) or "replicateSourceDb" in subject.ignored


def _may_go(subject: Subject) -> bool:
    """Whether deleting it loses nothing for good."""
    props = subject.props
    match subject.type:
        case "aws:secretsmanager/secret:Secret":
            return at_least(at(props, "recoveryWindowInDays"), LEAST_RECOVERY_DAYS)
        case "aws:elasticache/replicationGroup:ReplicationGroup":
            return at(props, "durability") in ("disabled", UNKNOWN)
        case "aws:route53/zone:Zone":
            # A private zone has no name servers to delegate to, and all its records come from the program.
            return is_set(at(props, "vpcs"))
        case _:
            return _is_replica(subject)


def _protection(subject: Subject, site: Site) -> Iterator[str]:
    if not site.protected or _may_go(subject):
        return
    if subject.type in PROTECTED and not subject.protect:
        yield "the engine may delete it: give it protect=True"
    flag = _FLAGS.get(subject.type)
    if flag and not is_on(at(subject.props, flag)):
        yield f"AWS may delete it: {flag} is not true"
    if at(subject.props, "forceDestroy") is True or at(subject.props, "forceDelete") is True:
        yield "it would be deleted with all that is in it: forceDestroy or forceDelete is true"
    if subject.type.startswith("aws:rds/") and at(subject.props, "skipFinalSnapshot") is True:
        yield "it would go without a last snapshot: skipFinalSnapshot is true"


def _backups(subject: Subject, site: Site) -> Iterator[str]:
    if _is_replica(subject):
        return
    props = subject.props
    if subject.type.startswith("aws:rds/"):
        least = LEAST_BACKUP_DAYS if site.protected else 1
        if not at_least(at(props, "backupRetentionPeriod"), least):
            yield f"backupRetentionPeriod is {at(props, 'backupRetentionPeriod')}; at least {least} days are needed"
        return
    # What is written through to other nodes, or is meant to be lost, needs no snapshot.
    if at(props, "durability") == "async" and not at_least(at(props, "snapshotRetentionLimit"), 1):
        yield "writes may be lost and no snapshot is kept: set snapshotRetentionLimit"


def _retention(subject: Subject, _site: Site) -> Iterator[str]:
    days = at(subject.props, "retentionInDays")
    if days is UNKNOWN:
        return
    if not at_least(days, 1) or at_least(days, LONGEST_LOGS_DAYS + 1):
        yield f"retentionInDays is {days}: logs would be kept, and billed, for ever"


def _rotation(subject: Subject, _site: Site) -> Iterator[str]:
    if not is_on(at(subject.props, "enableKeyRotation")):
        yield "enableKeyRotation is not true"


POLICIES = (
    Policy(
        name="stores-are-protected",
        why="one wrong command must not delete data",
        types=PROTECTED | frozenset(_FLAGS),
        check=_protection,
    ),
    Policy(
        name="backups-are-on",
        why="a mistake in data is undone from a backup only",
        types=frozenset(
            {
                "aws:rds/instance:Instance",
                "aws:rds/cluster:Cluster",
                "aws:elasticache/replicationGroup:ReplicationGroup",
            }
        ),
        check=_backups,
    ),
    Policy(
        name="logs-end",
        why="logs without an end cost more every month and keep personal data too long",
        types=frozenset({"aws:cloudwatch/logGroup:LogGroup"}),
        check=_retention,
    ),
    Policy(
        name="keys-rotate",
        why="a key that never changes protects ever more data",
        types=frozenset({"aws:kms/key:Key"}),
        check=_rotation,
    ),
)
