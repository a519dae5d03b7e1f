"""Every policy passes what is right and stops what is wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from infra.policy import iam, rules
from infra.policy.model import UNKNOWN, Policy, Site, Subject
from infra.policy.together import BUCKET, NODE_GROUP
from infra.tags import REQUIRED_TAGS
from tests.unit.policy.cases import CASES, Good

SITE = Site(protected=True, today=dt.date(2026, 12, 31))
POLICIES = {policy.name: policy for policy in rules.POLICIES}


def found(policy: Policy, case: Good, props: dict[str, Any], site: Site = SITE) -> list[str]:
    subject = Subject(type=case.type, name="it", props=props, protect=case.protect)
    return list(policy.check(subject, site))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.policy}-{case.type.rpartition(':')[2]}")
def test_what_is_right_passes(case: Good) -> None:
    assert case.type in POLICIES[case.policy].types
    assert found(POLICIES[case.policy], case, case.props) == []


def breaking() -> Iterator[Any]:
    for case in CASES:
        for path in case.breaking:
            yield pytest.param(case, path, id=f"{case.policy}-{case.type.rpartition(':')[2]}-{path}")


@pytest.mark.parametrize(("case", "path"), breaking())
def test_what_is_wrong_is_named(case: Good, path: str) -> None:
    said = found(POLICIES[case.policy], case, case.broken(path))

    assert any(case.breaking[path][1] in sentence for sentence in said), said


def test_every_policy_has_a_case_that_passes_and_one_that_fails() -> None:
    assert {case.policy for case in CASES if case.breaking} == set(POLICIES)
    assert len(POLICIES) == len(rules.POLICIES), "names are unique"


@pytest.mark.parametrize("policy", rules.POLICIES, ids=lambda policy: policy.name)
def test_what_only_up_will_know_passes_and_what_is_missing_never_crashes(policy: Policy) -> None:
    for kind in policy.types:
        list(policy.check(Subject(type=kind, name="it", props={}), SITE))
        case = next((case for case in CASES if case.type == kind and case.policy == policy.name), None)
        if case is not None:
            unknown = dict.fromkeys(case.props, UNKNOWN)
            assert found(policy, case, unknown) == []


def test_an_old_kubernetes_is_refused_from_the_day_its_support_ends() -> None:
    cluster = Subject(
        type="aws:eks/cluster:Cluster",
        name="it",
        props={"version": "1.35", "upgradePolicy": {"supportType": "STANDARD"}},
    )
    policy = POLICIES["kubernetes-is-supported"]

    assert list(policy.check(cluster, Site(protected=True, today=dt.date(2027, 3, 27)))) == []
    assert "ended on 2027-03-27" in next(
        policy.check(cluster, Site(protected=True, today=dt.date(2027, 3, 28)))
    )


def test_stores_of_an_unprotected_stack_may_go_but_are_backed_up() -> None:
    site = Site(protected=False, today=SITE.today)
    props = {"backupRetentionPeriod": 0}
    database = Subject(type="aws:rds/instance:Instance", name="it", props=props)

    assert list(POLICIES["stores-are-protected"].check(database, site)) == []
    assert "at least 1 days" in next(POLICIES["backups-are-on"].check(database, site))


def test_a_violation_names_its_policy_and_its_reason() -> None:
    topic = Subject(type="aws:sns/topic:Topic", name="it", props={"tags": dict.fromkeys(REQUIRED_TAGS, "x")})

    assert list(rules.violations(topic, SITE)) == [
        (
            "encryption-at-rest: no customer key: set kmsMasterKeyId "
            "(what is stored must be unreadable without a key of ours)"
        )
    ]


def test_types_that_nobody_asks_about_are_left_alone() -> None:
    assert not rules.is_looked_at("aws:route53/record:Record")
    assert list(rules.violations(Subject(type="aws:route53/record:Record", name="it", props={}), SITE)) == []


def test_a_bucket_needs_its_companions() -> None:
    def subject(kind: str, parent: str) -> Subject:
        return Subject(type=kind, name=kind, props={}, parent=parent)

    kinds = [kind for kind in rules.STACK_TYPES if kind.startswith("aws:s3/")]
    whole = [subject(kind, "a") for kind in kinds]

    assert list(rules.stack_violations(whole)) == []
    said = list(rules.stack_violations([*whole, subject(BUCKET, "b")]))
    assert len(said) == len(kinds) - 1
    assert all(sentence.startswith("buckets-are-closed: bucket") for sentence in said)


@pytest.mark.parametrize(("spot", "passes"), [(3, True), (4, False)])
def test_at_most_three_of_ten_nodes_are_spot(spot: int, *, passes: bool) -> None:
    def group(kind: str, number: int) -> Subject:
        sizes = {"minSize": number, "desiredSize": number, "maxSize": number}
        props = {"labels": {"parking.platform/pool": "p"}, "capacityType": kind, "scalingConfig": sizes}
        return Subject(type=NODE_GROUP, name=kind, props=props)

    said = list(rules.stack_violations([group("SPOT", spot), group("ON_DEMAND", 10 - spot)]))

    assert (said == []) is passes
    assert passes or "4 of 10 nodes are spot" in said[0]


def test_every_exception_has_a_reason() -> None:
    for exceptions in (iam.WILDCARD_ACTIONS, iam.WITHOUT_RESOURCE):
        assert all(len(reason.split()) > 3 for reason in exceptions.values())


def test_a_copy_whose_source_is_left_alone_stays_a_copy_after_a_failover() -> None:
    database = Subject(
        type="aws:rds/instance:Instance",
        name="it",
        props={"skipFinalSnapshot": True, "deletionProtection": False},
        ignored=("replicateSourceDb", "vpcSecurityGroupIds"),
    )
    lone = Subject(type=database.type, name="it", props=database.props)

    policies = [policy for policy in rules.POLICIES if policy.name == "stores-are-protected"]
    assert [list(policy.check(database, SITE)) for policy in policies] == [[]]
    assert all(list(policy.check(lone, SITE)) for policy in policies)
