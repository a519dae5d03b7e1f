"""Pods of a Kubernetes service in a target group of the load balancer."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes as k8s

from components.target_binding import BoundService, TargetBinding
from tests.unit.components.building import Built, build, context

BINDING = "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/parking-prod-auth/0123456789abcdef"


def binding() -> Built:
    def make(opts: Any) -> dict[str, Any]:
        provider = k8s.Provider("cluster")
        component = TargetBinding(
            "auth",
            context=context(),
            provider=provider,
            service=BoundService(namespace="ingress", name="nginx", port="https"),
            target_group_arn=GROUP,
            after=(k8s.core.v1.Namespace("controller"),),
            opts=opts,
        )
        return {"name": component.binding_name}

    return build(make)


def test_the_services_pods_become_targets_by_address() -> None:
    made = binding()
    inputs = made.recorder.one(BINDING).inputs

    assert inputs["metadata"] == {"name": "auth", "namespace": "ingress"}
    assert inputs["spec"]["serviceRef"] == {"name": "nginx", "port": "https"}
    assert inputs["spec"]["targetGroupARN"] == GROUP
    assert inputs["spec"]["targetType"] == "ip"
    assert made.outputs == {"name": "auth"}


def test_the_controller_is_not_asked_to_write_security_group_rules() -> None:
    assert "networking" not in binding().recorder.one(BINDING).inputs["spec"]


def test_the_binding_is_taken_down_before_its_controller() -> None:
    assert binding().depends_on(BINDING, "auth-binding") == ["controller"]
