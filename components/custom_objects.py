"""Registration of objects that pure functions rendered (`infra.cluster.manifests`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from infra.cluster.manifests import LABELS, Manifest
from infra.traffic.mesh import MeshSite


@dataclass(frozen=True, kw_only=True)
class MeshTarget:
    """The cluster that the mesh's and the ingress's objects go to.

    Attributes:
        provider: Provider of the cluster's Kubernetes API.
        site: Namespaces and identities of the mesh.
        namespace: Name of the created namespace of the services, so that data flow orders what lives in it.
        after: Releases that bring the kinds and their admission webhooks.
    """

    provider: k8s.Provider
    site: MeshSite
    namespace: pulumi.Input[str]
    after: Sequence[pulumi.Resource]


def create_objects(
    component: Component, name: str, manifests: Sequence[Manifest], *, target: MeshTarget
) -> Mapping[str, k8s.apiextensions.CustomResource]:
    """Register custom objects as children of a component.

    Args:
        component: Their parent.
        name: Its logical name; an object's is `<name>-<key>`.
        manifests: What to register.
        target: Where to.

    Returns:
        The objects by key.

    Raises:
        ValueError: When two manifests share a key.
    """
    namespaces = {target.site.namespace: target.namespace}
    keys = [manifest.key for manifest in manifests]
    if len(set(keys)) != len(keys):
        raise ValueError(f"objects of {name} need different keys; found {keys}")
    return {
        manifest.key: k8s.apiextensions.CustomResource(
            f"{name}-{manifest.key}",
            api_version=manifest.api_version,
            kind=manifest.kind,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=manifest.name,
                namespace=namespaces.get(manifest.namespace, manifest.namespace),
                labels=LABELS,
                annotations=manifest.annotations or None,
            ),
            spec=dict(manifest.spec),
            # A kind exists only once its release has brought it, and goes with it.
            opts=component.child(provider=target.provider, depends_on=target.after),
        )
        for manifest in manifests
    }
