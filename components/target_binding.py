"""Registration of a Kubernetes service's pods in a target group that Pulumi owns."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from infra.naming import StackContext


@dataclass(frozen=True, kw_only=True)
class BoundService:
    """The Kubernetes service whose pods become targets.

    Attributes:
        namespace: Namespace of the service and of the binding.
        name: Name of the service.
        port: Port of the service, by number or name.
    """

    namespace: pulumi.Input[str]
    name: pulumi.Input[str]
    port: int | str


class TargetBinding(Component):
    """A TargetGroupBinding: the AWS Load Balancer Controller keeps a target group equal to a service's pods.

    It says nothing of networking: who reaches the pods is the load balancer component's security group rule, so
    the controller needs no right to write any.

    Several bindings may name one service: each target group of the load balancer then holds all pods of the
    ingress controller, with its own algorithm and health check.

    Args:
        name: Logical name; becomes the binding's name too.
        context: Names, tags and protection of the stack.
        provider: Provider of the cluster's Kubernetes API.
        service: Whose pods are registered.
        target_group_arn: ARN of the target group, of target type `ip`.
        after: The controller's release, which brings the kind and on deletion must still be there to take the
            targets out.
        opts: Options of the component itself.

    Outputs:
        binding_name: Name of the binding.
    """

    binding_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        provider: k8s.Provider,
        service: BoundService,
        target_group_arn: pulumi.Input[str],
        after: tuple[pulumi.Resource, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("TargetBinding", name, context=context, opts=opts)
        binding = k8s.apiextensions.CustomResource(
            f"{name}-binding",
            api_version="elbv2.k8s.aws/v1beta1",
            kind="TargetGroupBinding",
            metadata=k8s.meta.v1.ObjectMetaArgs(name=name, namespace=service.namespace),
            spec={
                "serviceRef": {"name": service.name, "port": service.port},
                "targetGroupARN": target_group_arn,
                "targetType": "ip",
            },
            # The kind exists only with the controller, and its deletion hangs on a finalizer that it removes.
            opts=self.child(provider=provider, depends_on=after),
        )
        self.binding_name = binding.id.apply(lambda _: name)
        self.register_outputs({"binding_name": self.binding_name})
