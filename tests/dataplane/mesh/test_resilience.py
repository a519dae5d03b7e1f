"""When the mesh tries again, gives up or leaves a pod out, on a real Envoy with the project's own objects."""

from __future__ import annotations

from infra.traffic.mesh.destinations import ERRORS_IN_A_ROW
from infra.traffic.routing import VIEWER_ADDRESS_HEADER
from infra.traffic.timeouts import RETRIES
from tests.dataplane.mesh.rig import Rig
from tests.dataplane.mesh.upstreams import Answer, Behaviour
from tests.dataplane.servers import until

ME = {VIEWER_ADDRESS_HEADER: "198.51.100.7"}
"""Always the same pod of the service that hashes addresses, so that it is known whom a request meets."""


def send(rig: Rig, path: str, method: str = "GET") -> Answer:
    with rig.calling("failing") as caller:
        return caller.send(path, method=method, headers=ME)


def counted(rig: Rig) -> int:
    return sum(pod.count for pod in rig.upstreams["failing"])


def break_mine(rig: Rig, behaviour: Behaviour) -> str:
    """Let the pod that serves this client fail, and give its name; the counts begin anew."""
    for pod in rig.upstreams["failing"]:
        pod.forget()
    mine = send(rig, "/payments/receipts").server
    for pod in rig.upstreams["failing"]:
        pod.forget()
        if pod.name == mine:
            pod.behaviour = behaviour
    return mine


def test_a_read_is_tried_again_on_another_pod(rig: Rig) -> None:
    mine = break_mine(rig, Behaviour(status=503))
    answer = send(rig, "/payments/fees")

    assert answer.status == 200
    assert answer.server != mine
    assert counted(rig) == 2


def test_a_write_is_never_tried_again(rig: Rig) -> None:
    mine = break_mine(rig, Behaviour(status=503))
    answer = send(rig, "/payments", "POST")

    assert (answer.status, answer.server) == (503, mine)
    assert counted(rig) == 1


def test_a_write_to_a_path_without_an_objective_is_not_tried_again_either(rig: Rig) -> None:
    break_mine(rig, Behaviour(status=503))
    answer = send(rig, "/payments/refunds", "PUT")

    assert answer.status == 503
    assert counted(rig) == 1


def test_an_applications_own_error_is_not_tried_again(rig: Rig) -> None:
    break_mine(rig, Behaviour(status=500))
    answer = send(rig, "/payments/fees")

    assert answer.status == 500
    assert counted(rig) == 1


def test_a_health_check_is_not_tried_again(rig: Rig) -> None:
    break_mine(rig, Behaviour(status=503))
    answer = send(rig, "/payments/health")

    assert answer.status == 503
    assert counted(rig) == 1


def test_a_read_is_given_up_after_its_timeout_and_all_its_tries(rig: Rig) -> None:
    for pod in rig.upstreams["failing"]:
        pod.forget()
        pod.behaviour = Behaviour(seconds=3)
    answer = send(rig, "/payments/status")
    for pod in rig.upstreams["failing"]:
        pod.behaviour = Behaviour()

    assert answer.status == 504
    assert counted(rig) <= 1 + RETRIES


def test_a_pod_that_answers_errors_is_left_out_and_comes_back(rig: Rig) -> None:
    pods = [pod for pod in rig.upstreams["ejected"] if pod.version == "stable"]
    sick = pods[0]
    for pod in pods:
        pod.forget()
    sick.behaviour = Behaviour(status=500)
    statistics = f"cluster.{rig.cluster('ejected')};.outlier_detection"

    with rig.calling("ejected") as caller:
        while sick.count < ERRORS_IN_A_ROW:
            caller.send("/config/flags")
        # The proxy's threads hear of it one after the other.
        until(
            lambda: rig.proxy.statistic(f"{statistics}.ejections_active") == 1,
            what="the pod's ejection",
            seconds=30,
        )
        at_ejection = sick.count
        answers = [caller.send("/config/flags") for _ in range(20)]

        assert at_ejection == ERRORS_IN_A_ROW
        assert {answer.status for answer in answers} == {200}
        assert sick.count == at_ejection

        sick.behaviour = Behaviour()
        until(lambda: caller.send("/config/flags").server == sick.name, what="the pod's return", seconds=90)

    assert rig.proxy.statistic(f"{statistics}.ejections_active") == 0
