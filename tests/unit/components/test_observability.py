"""Rules, monitors and dashboards as objects of the cluster."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pulumi_kubernetes as kubernetes

from components.observability import DASHBOARD_LABEL, Observability
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.slo.regions import site

RULE = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
MONITOR = "kubernetes:monitoring.coreos.com/v1:PodMonitor"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


@cache
def observability() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        provider = kubernetes.Provider("cluster-kubernetes", kubeconfig="{}")
        release = kubernetes.core.v1.Namespace("release", opts=None)
        Observability(
            "observability",
            context=context(),
            provider=provider,
            namespace="monitoring",
            services=CATALOGUE,
            site=site(),
            after=[release],
            opts=opts,
        )
        return {}

    return build(make)


def test_every_service_has_rules_that_wait_for_their_kind() -> None:
    made = {one.name: one.inputs for one in observability().recorder.of_type(RULE)}

    assert set(made) == {
        *(f"observability-rules-{service.name}-service" for service in CATALOGUE),
        "observability-rules-platform",
    }
    for name, inputs in made.items():
        assert inputs["metadata"]["namespace"] == "monitoring"
        assert observability().depends_on(RULE, name) == ["release"]


def test_every_dashboard_is_what_grafana_s_sidecar_looks_for() -> None:
    made = observability().recorder.of_type(CONFIG_MAP)

    assert len(made) == 1 + len(CATALOGUE) + 5
    for one in made:
        assert one.inputs["metadata"]["labels"][DASHBOARD_LABEL] == "1"
        ((name, text),) = one.inputs["data"].items()
        assert name.endswith(".json")
        assert json.loads(text)["panels"]


def test_what_no_chart_scrapes_is_scraped() -> None:
    made = {one.inputs["metadata"]["name"] for one in observability().recorder.of_type(MONITOR)}

    assert made == {"ingress-controller", "ingress-sidecars", "mesh-control-plane", "replica-autoscaler"}
