"""Which pod serves, on a real Envoy that a real istiod configured from the project's own objects."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

from infra.traffic.routing import VIEWER_ADDRESS_HEADER
from tests.dataplane.mesh.rig import CANARY_PERCENT, Rig
from tests.dataplane.mesh.upstreams import Answer, Behaviour
from tests.dataplane.servers import until

ADDRESSES = tuple(f"198.51.100.{number}" for number in range(1, 31))
MANY = tuple(f"198.51.{third}.{fourth}" for third in (101, 102) for fourth in range(1, 101))
SIGMAS = 5
"""A right share strays so far once in about two million runs."""


def servers(rig: Rig, name: str, path: str, addresses: Sequence[str]) -> list[str]:
    """Who serves a request of each client address."""
    with rig.calling(name) as caller:
        return [caller.send(path, headers={VIEWER_ADDRESS_HEADER: address}).server for address in addresses]


def strays(seen: int, of: int, percent: int) -> float:
    """How far a count is from its share, in standard deviations."""
    share = percent / 100
    return abs(seen - of * share) / math.sqrt(of * share * (1 - share))


def test_payments_of_one_client_address_always_reach_one_pod(rig: Rig) -> None:
    rounds = [servers(rig, "payment", "/payments/receipts", ADDRESSES) for _ in range(5)]

    assert all(found == rounds[0] for found in rounds)
    assert len(set(rounds[0])) == 3


def test_without_an_address_payments_go_to_any_pod(rig: Rig) -> None:
    with rig.calling("payment") as caller:
        found = {caller.send("/payments/receipts").server for _ in range(60)}

    assert len(found) == 3


def test_clients_move_when_their_pod_dies_and_nearly_all_others_stay(rig: Rig) -> None:
    def served() -> dict[str, str]:
        return dict(zip(MANY, servers(rig, "moving", "/payments/receipts", MANY), strict=True))

    before, victim = served(), rig.upstreams["moving"][0]
    victim.die()
    at_once = served()
    ejected = f"cluster.{rig.cluster('moving')};.outlier_detection.ejections_active"
    until(lambda: bool(served()) and rig.proxy.statistic(ejected) == 1, what="the dead pod's ejection")
    after, again = served(), served()

    theirs = {address for address in MANY if before[address] == victim.name}
    moved = {address for address in MANY if before[address] != after[address]}
    # Reads are tried again on the next pod of the ring, so nobody saw the death.
    assert not {"", victim.name} & {*at_once.values(), *after.values()}
    assert theirs <= moved
    # The others' points on the ring grow in number when a pod leaves, which shifts a few.
    assert len(moved - theirs) < 0.3 * len(set(MANY) - theirs)
    assert again == after


def busy(rig: Rig, name: str, path: str) -> Counter[str]:
    """Who serves 600 requests of 12 clients at once, while one pod is twenty times as slow."""
    pods = rig.upstreams[name]
    for pod in pods:
        pod.behaviour = Behaviour(seconds=0.01)
    pods[0].behaviour = Behaviour(seconds=0.2)

    def client(_number: int) -> list[str]:
        with rig.calling(name) as caller:
            return [caller.send(path).server for _ in range(50)]

    try:
        with ThreadPoolExecutor(12) as clients:
            return Counter(server for found in clients.map(client, range(12)) for server in found)
    finally:
        for pod in pods:
            pod.forget()


def test_parking_prefers_the_least_busy_pod_where_turns_would_not(rig: Rig) -> None:
    least, turns = (busy(rig, name, "/parking/places") for name in ("parking", "turns"))

    # The same data, but for the algorithm, on the same proxies.
    assert sum(least.values()) == sum(turns.values()) == 600
    assert 180 <= turns["turns-1"] <= 220
    assert least["parking-1"] < turns["turns-1"] / 2


def test_parking_stays_in_the_callers_zone_until_its_pods_fail(rig: Rig) -> None:
    near, far = rig.upstreams["zoned"][:3], rig.upstreams["zoned"][3]

    def seen() -> set[str]:
        with rig.calling("zoned") as caller:
            return {caller.send("/parking/places").server for _ in range(40)}

    assert seen() == {pod.name for pod in near}
    for pod in near:
        pod.die()
    with rig.calling("zoned") as caller:
        until(
            lambda: caller.send("/parking/places").server == far.name,
            what="the other zone's taking over",
        )


def begin(rig: Rig, name: str) -> tuple[str, str]:
    """Begin a session: text of its cookie, and who served its first request."""
    with rig.calling(name) as caller:
        first = caller.send("/auth/sessions")
    # With two versions there are two policies of one cookie, and Envoy says the same of it twice.
    (text,) = set(first.cookies)
    return text, first.server


def go_on(rig: Rig, name: str, text: str, requests: int) -> list[Answer]:
    """Further requests of a session, each with its cookie."""
    cookies = {key: morsel.value for key, morsel in SimpleCookie(text).items()}
    (cookie,) = cookies
    with rig.calling(name) as caller:
        return [
            caller.send("/auth/sessions", headers={"Cookie": f"{cookie}={cookies[cookie]}"})
            for _ in range(requests)
        ]


def test_a_session_stays_on_its_pod_by_cookie(rig: Rig) -> None:
    pods: set[str] = set()
    for _ in range(20):
        text, first = begin(rig, "sessions")
        answers = go_on(rig, "sessions", text, 20)
        pods.add(first)

        assert {answer.server for answer in answers} == {first}
        assert not any(answer.cookies for answer in answers)
    assert len(pods) == 3


def test_without_its_cookie_a_session_would_not_stay(rig: Rig) -> None:
    assert len({begin(rig, "sessions")[1] for _ in range(40)}) == 3


def test_while_a_version_is_on_trial_a_session_stays_on_one_from_its_second_request_on(rig: Rig) -> None:
    for _ in range(20):
        text, _ = begin(rig, "auth")

        assert len({answer.server for answer in go_on(rig, "auth", text, 20)}) == 1


def test_a_tenth_of_the_sessions_is_on_the_version_on_trial(rig: Rig) -> None:
    found = Counter(go_on(rig, "auth", begin(rig, "auth")[0], 1)[0].server for _ in range(400))

    assert set(found) == {"auth-1", "auth-2", "auth-3", "auth-canary"}
    assert strays(found["auth-canary"], of=400, percent=CANARY_PERCENT) < SIGMAS


def test_the_cookie_is_for_browsers_only_and_for_the_services_own_paths(rig: Rig) -> None:
    text, _ = begin(rig, "auth")

    assert re.match(r'auth-affinity="?[0-9a-f]+"?;', text)
    assert re.search(r"; Path=/auth(;|$)", text)
    assert "Max-Age=3600" in text
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax"):
        assert attribute in text


def test_a_tenth_of_the_requests_goes_to_the_version_on_trial(rig: Rig) -> None:
    with rig.calling("configuration") as caller:
        found = Counter(caller.send("/config/flags").server for _ in range(2000))

    assert sum(found.values()) == 2000
    assert strays(found["configuration-canary"], of=2000, percent=CANARY_PERCENT) < SIGMAS
    assert min(found[f"configuration-{number}"] for number in (1, 2, 3)) > 400


def test_analytics_sends_less_to_pods_that_report_more_load(rig: Rig) -> None:
    reports = {"analytics-1": 0.9, "analytics-2": 0.3, "analytics-3": 0.3}
    for pod in rig.upstreams["analytics"]:
        load = (
            f'JSON {{"cpu_utilization": {reports[pod.name]}, "mem_utilization": 0.1, "rps_fractional": 50}}'
        )
        pod.behaviour = Behaviour(headers={"endpoint-load-metrics": load})

    def shares() -> Counter[str]:
        with rig.calling("analytics") as caller:
            return Counter(caller.send("/analytics/boards").server for _ in range(300))

    first = shares()
    # A third of the load weighs thrice: 1 to 3 to 3, once reports are ten seconds old.
    until(lambda: shares()["analytics-1"] < 60, what="less for the pod that reports more")
    settled = shares()

    assert 80 < first["analytics-1"] < 120
    assert 25 < settled["analytics-1"] < 60
    assert abs(settled["analytics-2"] - settled["analytics-3"]) < 30
