"""The check from outside: what it asks, what it may do, whom it tells, and its code on a real HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.synthetic_check import CODE, RUNTIME, SyntheticCheck
from components.synthetic_check_code import canary
from components.synthetic_check_code.canary import Check, FailedChecksError, ask, handler, run
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import ALERTING, URGENT_TOPIC
from tests.unit.recording import parsed

CANARY = "aws:synthetics/canary:Canary"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
POLICY = "aws:iam/rolePolicy:RolePolicy"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


def check(*, minutes: int = 5) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        made = SyntheticCheck(
            "synthetic-check",
            context=context(),
            base_url="https://api.parking.example.com",
            services=CATALOGUE,
            interval_minutes=minutes,
            alerting=ALERTING,
            opts=opts,
        )
        return {"canary": made.canary_name}

    return build(make)


def test_it_asks_every_service_s_health_path_by_the_public_name() -> None:
    inputs = check().recorder.one(CANARY).inputs
    variables = inputs["runConfig"]["environmentVariables"]

    assert variables["BASE_URL"] == "https://api.parking.example.com"
    assert [one["path"] for one in json.loads(variables["CHECKS"])] == [
        service.health.path for service in CATALOGUE
    ]
    assert inputs["runtimeVersion"] == RUNTIME
    assert inputs["startCanary"] is True
    assert inputs["schedule"] == {"expression": "rate(5 minutes)"}
    assert check(minutes=1).recorder.one(CANARY).inputs["schedule"] == {"expression": "rate(1 minute)"}


def test_its_code_is_the_repository_s_under_a_name_of_its_content() -> None:
    stored = check().recorder.one(OBJECT).inputs

    assert stored["key"].startswith("code/")
    assert check().recorder.one(CANARY).inputs["s3Key"] == stored["key"]
    assert CODE.name == "canary.py"


def test_it_may_store_results_log_and_count_its_own_successes_only() -> None:
    policy = parsed(check().recorder.one(POLICY, "synthetic-check-policy").inputs["policy"])
    access = {action: one for one in policy["Statement"] for action in one["Action"]}

    assert access["s3:PutObject"]["Resource"][0].endswith("/results/*")
    assert access["cloudwatch:PutMetricData"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}
    }
    anywhere = {action for action, one in access.items() if one["Resource"] == ["*"]}
    assert anywhere == {"s3:ListAllMyBuckets", "cloudwatch:PutMetricData"}


def test_two_failed_or_missing_runs_call_somebody() -> None:
    alarm = check().recorder.one(ALARM).inputs

    assert alarm["alarmActions"] == [URGENT_TOPIC]
    assert (alarm["threshold"], alarm["comparisonOperator"]) == (100, "LessThanThreshold")
    assert (alarm["period"], alarm["evaluationPeriods"], alarm["treatMissingData"]) == (300, 2, "breaching")
    assert alarm["dimensions"] == {"CanaryName": "parking-prod-api"}


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.4)
        refused = self.path == "/broken" or "User-Agent" not in self.headers
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Keep the test's output clean."""


@pytest.fixture
def base() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_good_answers_pass(base: str) -> None:
    run(base, [Check("/auth/health", 5), Check("/parking/health", 5)])


def test_every_wrong_path_is_named(base: str) -> None:
    with pytest.raises(FailedChecksError) as raised:
        run(base, [Check("/broken", 5), Check("/fine", 5), Check("/slow", 0.1)])

    assert "/broken: status 503" in str(raised.value)
    assert "/slow" in str(raised.value)
    assert "/fine" not in str(raised.value)


def test_a_server_that_is_gone_is_a_failure(base: str) -> None:
    assert ask("http://127.0.0.1:1/auth/health", 1)
    assert ask(f"{base}/fine", 5) is None


def test_other_schemes_are_never_opened() -> None:
    assert ask("file:///etc/hostname", 1) == "file:///etc/hostname: neither https nor http"


def test_the_handler_reads_its_environment(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", base)
    monkeypatch.setenv("CHECKS", json.dumps([{"path": "/auth/health", "seconds": 5}]))
    assert handler({}, None) == "1 paths answer"

    monkeypatch.setenv("CHECKS", json.dumps([{"path": "/broken", "seconds": 5}]))
    with pytest.raises(canary.FailedChecksError):
        handler({}, None)
