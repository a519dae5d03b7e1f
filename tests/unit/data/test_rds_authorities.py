"""The authorities that sign RDS' servers."""

from __future__ import annotations

import ssl
import time

import pytest

from infra.data.rds_authorities import UnknownAuthorityError, authorities, bundle
from tests.unit.stack_files import STACKS, load


def test_each_certificate_is_the_root_of_its_region() -> None:
    known = authorities()

    assert len(known) > 20
    for region, pem in known.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        (certificate,) = context.get_ca_certs()
        assert f"Amazon RDS {region} Root CA RSA2048 G1" in str(certificate["subject"])
        assert certificate["subject"] == certificate["issuer"]
        assert ssl.cert_time_to_seconds(str(certificate["notAfter"])) > time.time() + 30 * 365 * 86_400


def test_a_bundle_has_one_certificate_a_region() -> None:
    assert bundle("us-east-1", "eu-west-1", "us-east-1").count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("stack", STACKS)
def test_the_stacks_regions_are_known(stack: str) -> None:
    assert bundle(load(stack).region)


def test_an_unknown_region_says_what_to_add() -> None:
    with pytest.raises(UnknownAuthorityError, match=r"mars-north-1.*Root CA RSA2048 G1"):
        bundle("mars-north-1")
