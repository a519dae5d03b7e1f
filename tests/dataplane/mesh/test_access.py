"""Who may call whom, on a real Envoy with mutual TLS between pods and the project's own policies."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from infra.local.cluster.certificates import Authority, Pair
from tests.dataplane.mesh.rig import GUARDED, GUARDED_ADDRESS, Rig
from tests.dataplane.mesh.secrets import spiffe

PATH = "/notifications/messages"


class Identities:
    """Certificates of workloads, one a service account."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._pairs = rig, dict[str, Pair]()

    def of(self, service: str) -> Pair:
        """Those of a service's pods."""
        principal = self._rig.site.principal(f"{service}-service")
        if service not in self._pairs:
            self._pairs[service] = self._rig.authority.issue(f"{service}-caller", identity=spiffe(principal))
        return self._pairs[service]


@pytest.fixture(scope="module")
def identities(rig: Rig) -> Identities:
    return Identities(rig)


def call(rig: Rig, pair: Pair, path: str = PATH) -> int:
    """Status that a caller gets who connects to the guarded pod with a certificate."""
    tls = ssl.create_default_context(cafile=str(rig.authority.certificate))
    tls.check_hostname = False
    tls.load_cert_chain(pair.certificate, pair.key)
    address = (GUARDED_ADDRESS, rig.port)
    with closing(http.client.HTTPSConnection(*address, context=tls, timeout=20)) as connection:
        return ask(rig, connection, path)


def ask(rig: Rig, connection: http.client.HTTPConnection, path: str) -> int:
    """Status of a request to the guarded service."""
    connection.request("GET", path, headers={"Host": rig.site.host(rig.services[GUARDED])})
    return connection.getresponse().status


def test_the_ingress_reaches_the_service_over_mutual_tls(rig: Rig) -> None:
    shaken = f"cluster.{rig.cluster(GUARDED)};.ssl.handshake"
    with rig.calling(GUARDED) as caller:
        answer = caller.send(PATH)

    assert (answer.status, answer.server) == (200, "notification-1")
    assert rig.proxy.statistic(shaken) >= 1


@pytest.mark.parametrize("caller", ["auth", "parking", "payment"])
def test_a_declared_caller_is_let_in(rig: Rig, identities: Identities, caller: str) -> None:
    assert caller in rig.services[GUARDED].called_by
    assert call(rig, identities.of(caller)) == 200


@pytest.mark.parametrize("caller", ["analytics", "configuration", "stranger"])
def test_a_caller_that_is_not_declared_gets_403(rig: Rig, identities: Identities, caller: str) -> None:
    before = rig.upstreams[GUARDED][0].count

    assert caller not in rig.services[GUARDED].called_by
    assert call(rig, identities.of(caller)) == 403
    assert rig.upstreams[GUARDED][0].count == before


def test_a_declared_caller_gets_403_on_paths_that_are_not_the_services(
    rig: Rig, identities: Identities
) -> None:
    assert call(rig, identities.of("auth"), "/admin") == 403


def test_plain_text_gets_no_answer(rig: Rig) -> None:
    with (
        closing(http.client.HTTPConnection(GUARDED_ADDRESS, rig.port, timeout=20)) as connection,
        pytest.raises((http.client.HTTPException, OSError)),
    ):
        ask(rig, connection, PATH)


def test_a_certificate_of_another_authority_gets_no_answer(rig: Rig, tmp_path: Path) -> None:
    forged = Authority(tmp_path, name="forger").issue(
        "auth-service", identity=spiffe(rig.site.principal("auth-service"))
    )

    with pytest.raises((http.client.HTTPException, OSError)):
        call(rig, forged)
