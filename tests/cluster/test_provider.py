"""The stand-in for pulumi-kubernetes with the real API server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from infra.local.cluster.running import Place
from infra.local.cluster.testing import Client, Json, LocalCluster
from infra.local.providers.kubernetes.apiserver import ApiServerBackend
from infra.local.providers.kubernetes.plugin import KubernetesPlugin
from infra.local.providers.plugin import Instance, RefusedError, Resource
from infra.local.providers.store import Store
from infra.local.providers.values import Map
from tests.cluster.bench import Bench, deployment

PHRASE = "for tests"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "providers", passphrase=PHRASE)
    yield store
    store.close()


@pytest.fixture
def backend(cluster: LocalCluster, tmp_path: Path, store: Store) -> Iterator[ApiServerBackend]:
    """The cluster of the tests is the one of stack `prod` here."""
    place = Place(root=tmp_path / "cluster", stack="prod")
    with place.held():
        place.publish(cluster.client.access, nodes=0)
        backend = ApiServerBackend(KubernetesPlugin(), store, clusters=tmp_path / "cluster")
        yield backend
        backend.close()


def _resource(item: Json, bench: Bench, *, stack: str = "prod") -> Resource:
    placed = {**item, "metadata": {**item["metadata"], "namespace": bench.namespace}}
    group = item["apiVersion"] if "/" in item["apiVersion"] else f"core/{item['apiVersion']}"
    name = item["metadata"]["name"]
    urn = f"urn:pulumi:{stack}::parking::kubernetes:{group}:{item['kind']}::{name}"
    return Resource(urn, cast("Map", placed), Instance())


def _settings(**data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def _live(cluster: LocalCluster, bench: Bench) -> Any:
    return cluster.client.get("v1", "ConfigMap", "settings", namespace=bench.namespace)


def test_what_is_created_is_in_the_cluster(
    cluster: LocalCluster, bench: Bench, backend: ApiServerBackend
) -> None:
    identity, outputs = backend.create(_resource(_settings(a="1"), bench))

    assert identity == f"{bench.namespace}/settings"
    live = _live(cluster, bench)
    assert live["data"] == {"a": "1"}
    assert cast("Json", outputs["metadata"])["uid"] == live["metadata"]["uid"]


def test_what_the_server_refuses_is_refused_and_leaves_nothing(
    bench: Bench, backend: ApiServerBackend, store: Store
) -> None:
    item: Json = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": {"name": "web"}, "triggers": [], "maxReplicas": 3},
    }

    with pytest.raises(RefusedError, match=f"refused ScaledObject {bench.namespace}/web: .*maxReplicas"):
        backend.create(_resource(item, bench))
    assert store.all() == []


def test_a_field_that_left_the_program_leaves_the_object(
    cluster: LocalCluster, bench: Bench, backend: ApiServerBackend
) -> None:
    identity, _ = backend.create(_resource(_settings(a="1", b="2"), bench))

    backend.update(_resource(_settings(b="3"), bench), identity)

    assert _live(cluster, bench)["data"] == {"b": "3"}


def test_the_server_s_own_way_of_writing_is_no_drift(bench: Bench, backend: ApiServerBackend) -> None:
    resource = _resource(deployment("web", cpu="1000m", memory="1024Mi"), bench)
    identity, _ = backend.create(resource)

    read = backend.read(resource.urn, identity)

    assert read is not None
    assert read[0] == resource.inputs


def test_what_a_controller_writes_while_it_is_read_is_no_drift(
    cluster: LocalCluster, bench: Bench, backend: ApiServerBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = _resource(deployment("web", cpu="1000m", memory="1024Mi"), bench)
    identity, _ = backend.create(resource)
    apply, written = Client.apply, list[str]()

    def after_a_controller(self: Client, item: Json, **options: Any) -> Json:
        if options.get("dry_run") and not written:
            live = cluster.client.get("apps/v1", "Deployment", "web", namespace=bench.namespace)
            assert live is not None
            cluster.client.patch(live, {"metadata": {"annotations": {"written-by": "a controller"}}})
            written.append("once")
        return apply(self, item, **options)

    monkeypatch.setattr(Client, "apply", after_a_controller)
    read = backend.read(resource.urn, identity)

    assert written
    assert read is not None
    assert read[0] == resource.inputs


def test_what_others_changed_is_seen(cluster: LocalCluster, bench: Bench, backend: ApiServerBackend) -> None:
    resource = _resource(_settings(a="1"), bench)
    identity, _ = backend.create(resource)
    cluster.client.patch(_live(cluster, bench), {"data": {"a": "changed"}})

    read = backend.read(resource.urn, identity)

    assert read is not None
    assert read[0]["data"] == {"a": "changed"}


def test_what_others_deleted_is_gone(cluster: LocalCluster, bench: Bench, backend: ApiServerBackend) -> None:
    resource = _resource(_settings(a="1"), bench)
    identity, _ = backend.create(resource)
    cluster.client.delete("v1", "ConfigMap", "settings", namespace=bench.namespace)

    assert backend.read(resource.urn, identity) is None


def test_what_is_deleted_is_gone_from_the_cluster(
    cluster: LocalCluster, bench: Bench, backend: ApiServerBackend, store: Store
) -> None:
    resource = _resource(_settings(a="1"), bench)
    identity, _ = backend.create(resource)

    backend.delete(resource.urn, identity)

    assert _live(cluster, bench) is None
    assert store.all() == []


def test_a_stack_without_a_cluster_has_records_only(
    cluster: LocalCluster, bench: Bench, backend: ApiServerBackend, store: Store
) -> None:
    backend.create(_resource(_settings(a="1"), bench, stack="staging"))

    assert len(store.all()) == 1
    assert _live(cluster, bench) is None


def test_a_cluster_that_stopped_meanwhile_is_told_in_a_sentence(
    bench: Bench, tmp_path: Path, store: Store, cluster: LocalCluster
) -> None:
    place = Place(root=tmp_path / "cluster", stack="prod")
    with place.held():
        place.publish(replace(cluster.client.access, port=1), nodes=0)
        backend = ApiServerBackend(KubernetesPlugin(), store, clusters=tmp_path / "cluster")
        with pytest.raises(RefusedError, match=r"did not answer .*make cluster-up"):
            backend.create(_resource(_settings(a="1"), bench))
