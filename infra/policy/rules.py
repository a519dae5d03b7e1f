"""All policies, and running them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infra.policy import compute, durability, encryption, exposure, iam, pods, together
from infra.policy.model import Policy, Site, StackPolicy, Subject

POLICIES: tuple[Policy, ...] = (
    *encryption.POLICIES,
    *exposure.POLICIES,
    *iam.POLICIES,
    *durability.POLICIES,
    *compute.POLICIES,
    *pods.POLICIES,
)
STACK_POLICIES: tuple[StackPolicy, ...] = together.STACK_POLICIES


def _by_type(policies: Sequence[Policy]) -> Mapping[str, tuple[Policy, ...]]:
    types = {kind for policy in policies for kind in policy.types}
    return {kind: tuple(p for p in policies if kind in p.types) for kind in types}


_BY_TYPE = _by_type(POLICIES)
STACK_TYPES = frozenset(kind for policy in STACK_POLICIES for kind in policy.types)
"""Types that a policy over the whole stack looks at."""


def is_looked_at(kind: str) -> bool:
    """Whether any policy about single resources looks at a type."""
    return kind in _BY_TYPE


def violations(subject: Subject, site: Site) -> Iterator[str]:
    """What is wrong with one resource, each as `policy: what (why)`."""
    for policy in _BY_TYPE.get(subject.type, ()):
        for problem in policy.check(subject, site):
            yield f"{policy.name}: {problem} ({policy.why})"


def stack_violations(subjects: Sequence[Subject]) -> Iterator[str]:
    """What is wrong with a stack as a whole, in the same form."""
    for policy in STACK_POLICIES:
        for problem in policy.check([subject for subject in subjects if subject.type in policy.types]):
            yield f"{policy.name}: {problem} ({policy.why})"
