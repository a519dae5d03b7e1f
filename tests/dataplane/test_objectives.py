"""Every rule and alert in promtool and in a real Prometheus, every route in a real Alertmanager.

Each alert of every service goes off in one of these worlds when it must, and in the others nothing does that must
not: the whole list of alerts that are on is compared, not single ones.
"""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cluster.manifests import Manifest
from infra.local.cluster.children import Child, free_ports
from infra.slo.alertmanager import configuration
from infra.slo.dashboards import plans
from infra.slo.objectives import slos
from infra.slo.panels import Query
from infra.slo.rules import prometheus_rules
from infra.slo.severity import Severity
from services import CATALOGUE
from tests.dataplane.objectives import LABELS, Alert, Phases, World, alert, firing, steady
from tests.dataplane.servers import folder_for_servers, program, until
from tests.unit.slo.regions import STACKS, site

RULES = prometheus_rules(CATALOGUE, site())
CONSUMERS = [service for service in CATALOGUE if service.consumption]
TOPICS = {severity.value: f"arn:aws:sns:us-east-1:123456789012:{severity.value}" for severity in Severity}


def promtool(*arguments: str) -> str:
    """Run promtool; what it says when it fails is the failure."""
    done = subprocess.run(
        [program("promtool", package="prometheus"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def write(folder: Path, manifests: Sequence[Manifest]) -> list[str]:
    """Rule files, as the operator would write them."""
    paths = [folder / f"{manifest.name}.yaml" for manifest in manifests]
    for path, manifest in zip(paths, manifests, strict=True):
        path.write_text(yaml.safe_dump(dict(manifest.spec)))
    return [str(path) for path in paths]


def alerts(manifests: Sequence[Manifest] = RULES) -> Iterator[dict[str, Any]]:
    for manifest in manifests:
        for group in manifest.spec["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def known() -> set[Alert]:
    """Every alert there is, by name and labels."""
    return {
        alert(rule["alert"], **{key: rule["labels"][key] for key in LABELS if key in rule["labels"]})
        for rule in alerts()
    }


def everywhere(times: float, *, availability_alone: bool = False, minutes: int = 40, then: int = 0) -> World:
    """Every budget burns so many times as fast as it may, for some minutes; then nothing is wrong."""
    bad = {
        (service.workload_name, slo.objective.operation if slo.objective else None): [
            (minutes, min(1.0, times * slo.budget)),
            *([(then, 0.0)] if then else []),
        ]
        for service in CATALOGUE
        for slo in slos(service)
        if not (availability_alone and slo.objective)
    }
    return World(minutes=minutes + then, bad=bad)


def after_quiet(times: float, *, quiet: int, minutes: int) -> World:
    """Nothing is wrong for long, then availability burns for a few minutes."""
    bad: dict[tuple[str, str | None], Phases] = {
        (service.workload_name, None): [(quiet, 0.0), (minutes, times * slo.budget)]
        for service in CATALOGUE
        for slo in slos(service)
        if slo.objective is None
    }
    return World(minutes=quiet + minutes, bad=bad)


def hopeless() -> World:
    """A tenth of the requests fail, and every answer takes over twice its objective."""
    bad = {
        (service.workload_name, slo.objective.operation if slo.objective else None): steady(
            30, 1.0 if slo.objective else 0.1
        )
        for service in CATALOGUE
        for slo in slos(service)
    }
    return World(minutes=30, bad=bad, very_slow=True)


def of_services(name: str) -> set[Alert]:
    return {alert(name, service=service.workload_name) for service in CATALOGUE}


FULL = {
    *of_services("ScaleUpExhausted"),
    *(alert("ConsumerBehind", service=service.workload_name) for service in CONSUMERS),
    *(alert("PoolExhausted", pooler=pooler) for pooler in site().poolers),
    alert("PodsUnschedulable"),
    alert("IngressConfigurationRefused"),
    alert("AutoscalerBlind"),
}
UNMEASURED = {
    alert("ObjectiveUnmeasured", service=service.workload_name, operation=objective.operation)
    for service in CATALOGUE
    for objective in service.objectives
}
GONE = {
    *of_services("ServiceSilent"),
    *(alert("PoolerDown", pooler=pooler) for pooler in site().poolers),
    alert("MeshControlPlaneDown"),
    alert("IngressDown"),
}
WORLDS: Mapping[str, tuple[World, set[Alert]]] = {
    "healthy": (World(minutes=45), set()),
    "just within every budget": (everywhere(0.9), set()),
    "one and a half times": (everywhere(1.5), set()),
    "four and a half times": (everywhere(4.5), set()),
    "nine times": (everywhere(9), set()),
    "sixteen times": (everywhere(16), set()),
    "an outage that has ended": (everywhere(30, availability_alone=True, minutes=60, then=10), set()),
    "bad minutes after quiet hours": (after_quiet(16, quiet=100, minutes=6), set()),
    "an emergency": (hopeless(), set()),
    "everything full": (World(minutes=30, full=True), FULL),
    "nothing used for hours": (World(minutes=380, idle=True), of_services("CapacityUnused")),
    "no bucket at the objective": (World(minutes=45, missing_bucket=True), UNMEASURED),
}
"""Worlds, with the alerts that are on in them beside those about bad requests."""


def expected(name: str) -> set[Alert]:
    world, more = WORLDS[name]
    return firing(world, CATALOGUE) | more


def unit_test(minutes: int, series: Mapping[str, str], on: set[Alert]) -> dict[str, Any]:
    """A test as promtool reads it: exactly these alerts are on at the end."""
    samples = [
        {"labels": "{" + ",".join(f'{key}="{value}"' for key, value in sorted(one)) + "}", "value": 1}
        for one in sorted(on, key=sorted)
    ]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by ({", ".join(LABELS)}) (ALERTS{{alertstate="firing"}})',
                "eval_time": f"{minutes}m",
                "exp_samples": samples,
            }
        ],
    }


def run_unit_test(folder: Path, test: dict[str, Any], *, every: str = "1m") -> None:
    path = folder / "test.yaml"
    path.write_text(
        yaml.safe_dump({"rule_files": write(folder, RULES), "evaluation_interval": every, "tests": [test]})
    )
    promtool("test", "rules", str(path))


@pytest.mark.parametrize("stack", STACKS)
def test_promtool_takes_every_rule(tmp_path: Path, stack: str) -> None:
    manifests = prometheus_rules(CATALOGUE, site(stack))
    said = promtool("check", "rules", *write(tmp_path, manifests))

    assert said.count("SUCCESS") == len(manifests)


def test_promtool_refuses_a_rule_that_cannot_be_read(tmp_path: Path) -> None:
    spec = json.loads(json.dumps(RULES[0].spec).replace("sum(rate(", "sum(rate((", 1))
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(spec))

    with pytest.raises(AssertionError, match="FAILED"):
        promtool("check", "rules", str(tmp_path / "broken.yaml"))


def test_promtool_takes_every_query_of_every_panel(tmp_path: Path) -> None:
    queries = {
        query.expr
        for shown in plans(CATALOGUE, site()).values()
        for panel in shown
        for query in panel.queries
        if isinstance(query, Query)
    }
    rules = [
        {"record": "panel", "expr": query, "labels": {"n": str(n)}} for n, query in enumerate(sorted(queries))
    ]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    assert f"{len(queries)} rules found" in promtool("check", "rules", str(path))


@pytest.mark.parametrize("name", WORLDS)
def test_exactly_those_alerts_are_on_that_must_be(tmp_path: Path, name: str) -> None:
    world, _ = WORLDS[name]
    test = unit_test(world.minutes, world.series(CATALOGUE, site()), expected(name))

    # Hours are looked at every five minutes; what is on after six of them does not hang on one.
    run_unit_test(tmp_path, test, every="5m" if world.minutes > 300 else "1m")


@pytest.mark.parametrize("value", ["0x10", "_x10"], ids=["refused", "never seen"])
def test_what_answers_nobody_is_missed(tmp_path: Path, value: str) -> None:
    series = {
        name: value if name.startswith(("up{", "pgbouncer_up{")) else values
        for name, values in World(minutes=10).series(CATALOGUE, site()).items()
        if name.startswith(("up{", "pgbouncer_up{", "kube_horizontal"))
    }

    run_unit_test(tmp_path, unit_test(10, series, GONE))


def test_a_consumer_that_reads_nothing_is_behind(tmp_path: Path) -> None:
    series = {
        name: "5x20" if name.startswith("kafka_consumergroup_current_offset") else values
        for name, values in World(minutes=20).series(CATALOGUE, site()).items()
    }
    behind = {alert("ConsumerBehind", service=service.workload_name) for service in CONSUMERS}

    run_unit_test(tmp_path, unit_test(20, series, behind))


def test_a_wrong_expectation_fails(tmp_path: Path) -> None:
    """The comparison must be able to fail: one alert too few, and one too many."""
    world = everywhere(1.5)
    right = firing(world, CATALOGUE)
    assert right
    for wrong in (set(sorted(right, key=sorted)[1:]), right | {alert("IngressDown")}):
        with pytest.raises(AssertionError, match="got: "):
            run_unit_test(tmp_path, unit_test(world.minutes, world.series(CATALOGUE, site()), wrong))


def test_every_alert_goes_off_in_some_world() -> None:
    seen = GONE.union(*(expected(name) for name in WORLDS))

    assert not known() - seen, "these can never go off"
    assert not seen - known(), "these do not exist"


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a server of ours on loopback
        return json.load(answer)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a server of ours on loopback
            return answer.status == 200
    except OSError:
        return False


def test_a_real_prometheus_evaluates_every_rule() -> None:
    """With short intervals, so that the first round need not be waited for; all else is as deployed."""
    with folder_for_servers() as folder:
        hurried = [
            Manifest(
                key=one.key,
                api_version=one.api_version,
                kind=one.kind,
                namespace=one.namespace,
                name=one.name,
                spec={"groups": [{**group, "interval": "2s"} for group in one.spec["groups"]]},
            )
            for one in RULES
        ]
        (port,) = free_ports(1)
        settings = folder / "prometheus.yml"
        settings.write_text(yaml.safe_dump({"rule_files": write(folder, hurried)}))
        promtool("check", "config", str(settings))
        server = Child(
            "prometheus",
            command=[
                program("prometheus", package="prometheus"),
                f"--config.file={settings}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            logs=folder,
        )
        base = f"http://127.0.0.1:{port}"
        try:
            until(lambda: answers(f"{base}/-/ready"), what="Prometheus' start")

            def loaded() -> list[dict[str, Any]]:
                groups = get(f"{base}/api/v1/rules")["data"]["groups"]
                return [rule for group in groups for rule in group["rules"]]

            until(
                lambda: bool(loaded()) and all(rule["health"] != "unknown" for rule in loaded()),
                what="the first evaluation of every rule",
            )
            rules = loaded()
        finally:
            server.stop()

    assert len(rules) == sum(len(group["rules"]) for one in RULES for group in one.spec["groups"])
    assert [rule for rule in rules if rule["health"] != "ok"] == []


class _Topics(BaseHTTPRequestHandler):
    """SNS' Publish, as far as Alertmanager uses it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        published = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
        self.server.published.append(  # type: ignore[attr-defined]  # the fixture's own list
            {**published, "authorization": self.headers.get("Authorization", "")}
        )
        answer = (
            b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
            b"<MessageId>1</MessageId></PublishResult></PublishResponse>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Keep the test's output clean."""


@pytest.fixture
def topics() -> Generator[tuple[str, list[dict[str, str]]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Topics)
    published: list[dict[str, str]] = []
    server.published = published  # type: ignore[attr-defined]  # read by the handler
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", published
    server.shutdown()
    server.server_close()
    thread.join()


def routes(endpoint: str) -> dict[str, Any]:
    """The configuration as deployed, but for SNS' address, its credentials and the waits."""
    made = configuration(topics=TOPICS, region="us-east-1", stack="parking-prod us-east-1")
    for route in made["route"]["routes"]:
        route["group_wait"] = "0s"
    for receiver in made["receivers"]:
        for sns in receiver.get("sns_configs", []):
            sns["api_url"] = endpoint
            sns["sigv4"] |= {"access_key": "none", "secret_key": "none"}
    return made


def tell(base: str, *labels: Mapping[str, str]) -> None:
    alerts = [
        {"labels": dict(one), "annotations": {"summary": "it hurts", "runbook_url": "docs/runbooks/x.md"}}
        for one in labels
    ]
    request = urllib.request.Request(  # noqa: S310 - a server of ours on loopback
        f"{base}/api/v2/alerts",
        data=json.dumps(alerts).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - a server of ours on loopback
        assert answer.status == 200


def test_a_real_alertmanager_publishes_each_severity_to_its_topic(
    topics: tuple[str, list[dict[str, str]]],
) -> None:
    endpoint, published = topics
    burning = {"alertname": "AvailabilityBudgetBurn", "service": "auth-service"}
    with folder_for_servers() as folder:
        (port,) = free_ports(1)
        settings = folder / "alertmanager.yml"
        settings.write_text(yaml.safe_dump(routes(endpoint)))
        name = "prometheus-alertmanager"
        server = Child(
            "alertmanager",
            command=[
                program(name, package=name),
                f"--config.file={settings}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            logs=folder,
        )
        base = f"http://127.0.0.1:{port}"
        try:
            until(lambda: answers(f"{base}/-/ready"), what="Alertmanager's start")
            tell(base, {"alertname": "Watchdog", "severity": "none"}, {**burning, "severity": "critical"})
            until(lambda: len(published) == 1, what="the critical alert's message")
            # The first is inhibited by the critical one, the second is another service's.
            tell(base, {**burning, "severity": "warning"}, {**burning, "service": "x", "severity": "warning"})
            until(lambda: len(published) == 2, what="the warning's message")
        finally:
            server.stop()

    first, second = published
    assert (first["TopicArn"], second["TopicArn"]) == (TOPICS["critical"], TOPICS["warning"])
    assert first["Subject"].split() == [
        "FIRING",
        "AvailabilityBudgetBurn",
        "auth-service",
        "(parking-prod",
        "us-east-1)",
    ]
    assert "it hurts" in first["Message"]
    assert "What to do: docs/runbooks/x.md" in first["Message"]
    assert "service=x" in second["Message"]
    assert "us-east-1/sns" in first["authorization"]
