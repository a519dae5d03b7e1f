"""A small plan that has a part in several tiers."""

from __future__ import annotations

from collections.abc import Iterator

from infra.diagram.graph import Graph, Resource

COMPONENT = "parking:components:"


def resource(kind: str, name: str, *, parent: str = "", needs: tuple[str, ...] = ()) -> Resource:
    return Resource(
        urn=f"urn:{name}",
        type=kind,
        name=name,
        parent=f"urn:{parent}" if parent else "",
        dependencies=frozenset(f"urn:{need}" for need in needs),
    )


def graph(*more: Resource) -> Graph:
    """A network, keys, a load balancer and a workload, and what a test adds."""
    return Graph(resources={each.urn: each for each in (*_resources(), *more)})


def _resources() -> Iterator[Resource]:
    yield resource("pulumi:pulumi:Stack", "stack")
    yield resource(f"{COMPONENT}Network", "network", parent="stack")
    yield resource("aws:ec2/vpc:Vpc", "vpc", parent="network")
    yield resource(f"{COMPONENT}Keys", "keys", parent="stack")
    yield resource("aws:kms/key:Key", "key", parent="keys")
    yield resource(f"{COMPONENT}LoadBalancer", "balancer", parent="stack")
    yield resource("aws:lb/loadBalancer:LoadBalancer", "alb", parent="balancer", needs=("vpc",))
    yield resource(f"{COMPONENT}Workload", "auth", parent="stack")
    yield resource("kubernetes:apps/v1:Deployment", "auth-deployment", parent="auth", needs=("alb",))
