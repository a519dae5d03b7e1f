"""Rules about how resources stand to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.policy.model import StackPolicy, Subject, at

BUCKET = "aws:s3/bucket:Bucket"
_COMPANIONS = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "closes it to the public",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "encrypts it",
    "aws:s3/bucketPolicy:BucketPolicy": "refuses requests without TLS",
}
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
POOL_LABEL = "parking.platform/pool"
SPOT_SHARE = 0.30
"""Largest share of a pool's nodes that may be spot instances (specification, worker nodes)."""


def _buckets(subjects: Sequence[Subject]) -> Iterator[str]:
    for bucket in subjects:
        if bucket.type != BUCKET:
            continue
        beside = {other.type for other in subjects if other.parent == bucket.parent}
        for kind, what in _COMPANIONS.items():
            if kind not in beside:
                yield f"bucket {bucket.name}: nothing beside it {what} ({kind.rpartition(':')[2]})"


def _spot(subjects: Sequence[Subject]) -> Iterator[str]:
    pools: dict[str, list[Subject]] = {}
    for group in subjects:
        if group.type == NODE_GROUP:
            pools.setdefault(str(at(group.props, "labels", POOL_LABEL)), []).append(group)
    for pool, groups in pools.items():
        for size in ("minSize", "desiredSize", "maxSize"):
            numbers = [(g, at(g.props, "scalingConfig", size)) for g in groups]
            if not all(isinstance(number, int | float) for _, number in numbers):
                continue
            total = sum(number for _, number in numbers)
            spot = sum(number for g, number in numbers if at(g.props, "capacityType") == "SPOT")
            if spot > SPOT_SHARE * total:
                share = f"{spot:.0f} of {total:.0f} nodes are spot at {size}"
                yield f"pool {pool}: {share}; at most {SPOT_SHARE:.0%} may be"


STACK_POLICIES = (
    StackPolicy(
        name="buckets-are-closed",
        why="a bucket alone is neither private nor encrypted with our settings",
        types=frozenset({BUCKET, *_COMPANIONS}),
        check=_buckets,
    ),
    StackPolicy(
        name="spot-share",
        why="more spot nodes than the specification's 30% can all be taken away at once",
        types=frozenset({NODE_GROUP}),
        check=_spot,
    ),
)
