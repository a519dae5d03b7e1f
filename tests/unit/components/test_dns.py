"""The zone, certificates and the regions' records: who may issue, what is validated, when a region is out."""

from typing import Any

import pytest

from components.dns import AliasTarget, Certificate, PublicZone, RegionalRecord
from infra.traffic.failover import failover_paths
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.traffic import TrafficRecorder, virginia

ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
CHECK = "aws:route53/healthCheck:HealthCheck"
CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"


def build_zone() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        return {"id": PublicZone("zone", context=context(), domain="parking.example.com", opts=opts).zone_id}

    return build(make, recorder=TrafficRecorder())


def build_certificate(*, names: tuple[str, ...], zone_id: str | None = "Z1", abroad: bool = False) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        certificate = Certificate(
            "certificate",
            context=context(),
            domain=names[0],
            alternative_names=names[1:],
            zone_id=zone_id,
            provider=virginia(opts) if abroad else None,
            opts=opts,
        )
        return {"arn": certificate.arn}

    return build(make, recorder=TrafficRecorder())


def build_record(*, region: str = "eu-west-1", paths: dict[str, str] | None = None, **more: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        record = RegionalRecord(
            "origin-record",
            context=context(region=region),
            zone_id="Z1",
            domain="origin.parking.example.com",
            target=AliasTarget(dns_name="lb.example.net", zone_id="ZLB"),
            health_paths=failover_paths(CATALOGUE) if paths is None else paths,
            opts=opts,
            **more,
        )
        return {"check": record.health_check_id, "children": record.child_health_check_ids}

    return build(make, recorder=TrafficRecorder())


def test_the_zone_is_protected_and_only_aws_may_issue_certificates() -> None:
    built = build_zone()
    caa = built.recorder.one(RECORD).inputs

    assert built.recorder.one(ZONE).inputs["name"] == "parking.example.com"
    assert built.protected() == {(ZONE, "zone")}
    assert (caa["type"], caa["name"]) == ("CAA", "parking.example.com")
    assert caa["records"] == [
        '0 issue "amazon.com"',
        '0 issue "amazontrust.com"',
        '0 issue "awstrust.com"',
        '0 issue "amazonaws.com"',
        '0 issuewild ";"',
    ]


def test_a_certificate_is_validated_by_one_record_for_each_name() -> None:
    names = ("api.parking.example.com", "www.parking.example.com")
    recorder = build_certificate(names=names).recorder
    certificate = recorder.one(CERTIFICATE).inputs

    assert certificate["validationMethod"] == "DNS"
    assert (certificate["domainName"], certificate["subjectAlternativeNames"]) == (names[0], [names[1]])
    assert {
        (record.name, record.inputs["name"], record.inputs["type"], *record.inputs["records"])
        for record in recorder.of_type(RECORD)
    } == {
        ("certificate-api", f"_check.{names[0]}", "CNAME", f"_answer-of-{names[0]}"),
        ("certificate-www", f"_check.{names[1]}", "CNAME", f"_answer-of-{names[1]}"),
    }
    assert recorder.one(VALIDATION).inputs["validationRecordFqdns"] == [f"_check.{name}" for name in names]


def test_the_certificate_is_handed_on_only_when_it_is_issued() -> None:
    built = build_certificate(names=("api.parking.example.com",))
    validation = built.recorder.one(VALIDATION).inputs

    assert built.outputs["arn"] == validation["certificateArn"]
    assert "subjectAlternativeNames" not in built.recorder.one(CERTIFICATE).inputs


def test_a_certificate_whose_records_another_stack_wrote_only_waits_for_them() -> None:
    recorder = build_certificate(names=("origin.parking.example.com",), zone_id=None).recorder

    assert recorder.of_type(RECORD) == []
    assert "validationRecordFqdns" not in recorder.one(VALIDATION).inputs


def test_a_certificate_for_cloudfront_is_in_the_given_provider_and_its_records_are_not() -> None:
    built = build_certificate(names=("api.parking.example.com",), abroad=True)

    assert built.options[CERTIFICATE, "certificate"].provider is not None
    assert built.options[VALIDATION, "certificate-issued"].provider is not None
    assert built.options[RECORD, "certificate-api"].provider is None


@pytest.mark.parametrize("names", [("a.example.com", "a.example.com"), ("example.com", "*.example.com")])
def test_repeated_names_and_wildcards_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="must differ and be no wildcards"):
        build_certificate(names=names)


def test_every_critical_service_is_checked_every_10_seconds_and_out_after_3_failures() -> None:
    recorder = build_record().recorder
    children = {
        check.name: check.inputs for check in recorder.of_type(CHECK) if check.inputs["type"] == "HTTPS"
    }

    assert {name: check["resourcePath"] for name, check in children.items()} == {
        "origin-record-auth": "/auth/health",
        "origin-record-parking": "/parking/health",
        "origin-record-payment": "/payments/health",
    }
    for check in children.values():
        assert (check["requestInterval"], check["failureThreshold"]) == (10, 3)
        assert (check["fqdn"], check["port"], check["enableSni"]) == ("lb.example.net", 443, True)
        assert check["measureLatency"] is True
        assert len(check["regions"]) == 3


def test_a_region_is_out_when_any_of_its_critical_services_is() -> None:
    built = build_record()
    parent = built.recorder.one(CHECK, "origin-record-health").inputs

    assert parent["type"] == "CALCULATED"
    assert sorted(parent["childHealthchecks"]) == sorted(built.outputs["children"].values())
    assert parent["childHealthThreshold"] == len(parent["childHealthchecks"]) == 3


def test_each_region_answers_by_latency_and_only_while_healthy() -> None:
    built = build_record(region="eu-west-1")
    record = built.recorder.one(RECORD).inputs

    assert (record["name"], record["type"]) == ("origin.parking.example.com", "A")
    assert record["setIdentifier"] == "eu-west-1"
    assert record["latencyRoutingPolicies"] == [{"region": "eu-west-1"}]
    assert record["aliases"] == [{"name": "lb.example.net", "zoneId": "ZLB", "evaluateTargetHealth": True}]
    assert record["healthCheckId"] == built.outputs["check"] == "origin-record-health-id"
    assert "ttl" not in record


def test_a_record_that_could_never_fail_over_is_refused() -> None:
    with pytest.raises(ValueError, match="never fail over"):
        build_record(paths={})


def test_fewer_than_three_checker_regions_are_refused() -> None:
    with pytest.raises(ValueError, match="at least three regions"):
        build_record(checker_regions=("us-east-1", "us-east-1", "eu-west-1"))
