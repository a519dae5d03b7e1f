"""Types that hold what cannot be made again: read by the guard against replacement and by the policy pack."""

from __future__ import annotations

from collections.abc import Mapping

STATEFUL: Mapping[str, str] = {
    "aws:rds/instance:Instance": "a database and its data",
    "aws:rds/cluster:Cluster": "a database and its data",
    "aws:dynamodb/table:Table": "a table and its data",
    "aws:efs/fileSystem:FileSystem": "a file system and its files",
    "aws:elasticache/replicationGroup:ReplicationGroup": "a cache: sessions and limits",
    "aws:msk/cluster:Cluster": "the event log",
    "aws:msk/topic:Topic": "a topic and its events",
    "aws:route53/zone:Zone": "a zone: its name servers change, and the domain is gone until they are delegated anew",
    "aws:kms/key:Key": "a key: whatever it encrypted cannot be read any more",
    "aws:s3/bucket:Bucket": "a bucket and its objects",
    "aws:ecr/repository:Repository": "a repository and its images",
    "aws:eks/cluster:Cluster": "the cluster with all that runs in it",
    "aws:secretsmanager/secret:Secret": "a secret and its former values",
    "aws:backup/vault:Vault": "a vault and its recovery points",
    "random:index/randomPassword:RandomPassword": "a password in use: whoever has the old one is locked out",
}
"""Type token to what is lost when one of them is deleted or replaced."""

PROTECTED = frozenset(STATEFUL) - {"random:index/randomPassword:RandomPassword"}
"""Types that must refuse deletion where `parking:deletionProtection` is true."""
