"""The custom resources of the add-ons: real schemas from the add-ons' Go modules, and stubs where none can be had.

A stub takes any field: its objects are **not schema-checked**, and `UNCHECKED` lists them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from infra.local import go_builds
from infra.local.cluster import waiting
from infra.local.cluster.client import Client, Json
from infra.local.errors import LocalError, say
from infra.local.files import write_atomically
from infra.local.tools import building
from infra.local.tools.catalogue import FOLDER

_MODULES = FOLDER / "crds"
_PARALLEL = 4
_SOURCES = {
    "istio.io/api": "kubernetes/customresourcedefinitions.gen.yaml",
    "github.com/kedacore/keda/v2": "config/crd/bases/*.yaml",
    "k8s.io/autoscaler/vertical-pod-autoscaler": "deploy/vpa-v1-crd-gen.yaml",
    "sigs.k8s.io/gateway-api": "config/crd/standard/*.yaml",
    "github.com/prometheus-operator/prometheus-operator": "example/prometheus-operator-crd/*.yaml",
    "github.com/cert-manager/cert-manager": "deploy/crds/*.yaml",
}
"""Files of each module, whose version is in infra/local/tools/crds/go.mod."""


@dataclass(frozen=True, kw_only=True)
class Stub:
    """A kind without a schema.

    Attributes:
        group: API group.
        version: API version.
        kind: The kind.
        plural: Its name in paths.
        namespaced: Whether its objects are in namespaces.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def definition(self) -> Json:
        """A definition that takes any field."""
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{self.plural}.{self.group}"},
            "spec": {
                "group": self.group,
                "scope": "Namespaced" if self.namespaced else "Cluster",
                "names": {
                    "kind": self.kind,
                    "plural": self.plural,
                    "singular": self.kind.lower(),
                    "listKind": f"{self.kind}List",
                },
                "versions": [
                    {
                        "name": self.version,
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": anything},
                        "subresources": {"status": {}},
                    }
                ],
            },
        }


_NGINX = "k8s.nginx.org"

UNCHECKED = (
    Stub(group=_NGINX, version="v1", kind="VirtualServer", plural="virtualservers"),
    Stub(group=_NGINX, version="v1", kind="VirtualServerRoute", plural="virtualserverroutes"),
    Stub(group=_NGINX, version="v1", kind="Policy", plural="policies"),
    Stub(group="elbv2.k8s.aws", version="v1beta1", kind="TargetGroupBinding", plural="targetgroupbindings"),
    Stub(group="external-secrets.io", version="v1", kind="ExternalSecret", plural="externalsecrets"),
    Stub(group="external-secrets.io", version="v1", kind="SecretStore", plural="secretstores"),
    Stub(
        group="external-secrets.io",
        version="v1",
        kind="ClusterSecretStore",
        plural="clustersecretstores",
        namespaced=False,
    ),
    Stub(
        group="crd.projectcalico.org",
        version="v1",
        kind="GlobalNetworkPolicy",
        plural="globalnetworkpolicies",
        namespaced=False,
    ),
    Stub(group="crd.projectcalico.org", version="v1", kind="NetworkPolicy", plural="networkpolicies"),
    Stub(
        group="operator.tigera.io",
        version="v1",
        kind="Installation",
        plural="installations",
        namespaced=False,
    ),
)
"""NGINX's ingress controller, AWS Load Balancer Controller, External Secrets and Calico have their schemas in no
module that can be had."""


def definitions() -> list[Json]:
    """All custom resource definitions, real ones first; fetched once per user.

    Raises:
        LocalError: The modules cannot be fetched.
    """
    cache = building.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256((_MODULES / "go.sum").read_bytes() + json.dumps(_SOURCES).encode()).hexdigest()
    kept = cache / f"crds-{digest[:12]}.json"
    if not kept.exists():
        with go_builds.only_one(cache, name="crds", subject="the custom resource definitions"):
            if not kept.exists():
                say("fetching the custom resource definitions of the add-ons: once per user")
                write_atomically(kept, json.dumps(list(_read())), mode=0o644)
    real = cast("list[Json]", json.loads(kept.read_text(encoding="utf-8")))
    return [*real, *(stub.definition for stub in UNCHECKED)]


def install(client: Client, items: Iterable[Json] | None = None, *, seconds: float = 120.0) -> int:
    """Apply definitions and wait until their kinds are served; returns how many.

    Args:
        client: The administrator's.
        items: Which; none: all.
        seconds: How long to wait at most.
    """
    wanted = definitions() if items is None else list(items)
    names = {str(item["metadata"]["name"]) for item in wanted}
    with ThreadPoolExecutor(_PARALLEL) as pool:
        list(pool.map(client.apply, wanted))
    waiting.until(
        lambda: names - _established(client),
        so=lambda left: not left,
        what="kinds are served",
        seconds=seconds,
    )
    return len(names)


def _established(client: Client) -> set[str]:
    found = client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    return {
        str(item["metadata"]["name"])
        for item in found
        for condition in cast("list[Json]", item.get("status", {}).get("conditions") or [])
        if condition["type"] == "Established" and condition["status"] == "True"
    }


class _Loader(yaml.CSafeLoader):
    """Reads scalars as Kubernetes does: `=` is a string, not a mark of YAML 1.1."""


def _as_written(_loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:value", _as_written)


def _read() -> Iterator[Json]:
    for module, pattern in _SOURCES.items():
        files = sorted(_folder_of(module).glob(pattern))
        if not files:
            raise LocalError(f"{module} has no {pattern}.\n  to do: correct infra/local/cluster/crds.py")
        for file in files:
            for document in yaml.load_all(file.read_text(encoding="utf-8"), Loader=_Loader):
                if document and document.get("kind") == "CustomResourceDefinition":
                    yield document


def _folder_of(module: str) -> Path:
    """Where a module is in Go's module cache, fetched first where it is not."""
    try:
        return go_builds.module_folder(_MODULES, module)
    except go_builds.NotPossibleError as error:
        raise LocalError(
            f"the custom resource definitions of {module} cannot be had.\n  found: {error}\n"
            "  needed: Go, and a module proxy that can be reached or the module in the module cache"
        ) from error
