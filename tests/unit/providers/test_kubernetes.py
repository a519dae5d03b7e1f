from __future__ import annotations

import base64
import re

import grpc
import pytest

from infra.local.providers import wire
from infra.local.providers.values import UNKNOWN, Map, Secret

from .conftest import Client, Connect

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a resource type
SERVICE = "kubernetes:core/v1:Service"
SCALED = "kubernetes:keda.sh/v1alpha1:ScaledObject"
RELEASE = "kubernetes:helm.sh/v3:Release"
CONTAINER: Map = {
    "name": "c",
    "image": "auth:1",
    "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}},
}


def deployment(labels: Map | None = None, container: Map | None = None, **spec: object) -> Map:
    template: Map = {
        "metadata": {"labels": labels or {"a": "b"}},
        "spec": {"containers": [container or CONTAINER]},
    }
    fields: Map = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    fields.update(spec)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return {"metadata": {"name": "auth"}, "spec": fields}


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect("kubernetes")


def test_a_right_object_passes_with_its_version_and_kind(client: Client) -> None:
    inputs, failures = client.check(DEPLOYMENT, deployment())
    assert failures == {}
    assert (inputs["apiVersion"], inputs["kind"]) == ("apps/v1", "Deployment")


@pytest.mark.parametrize(
    ("inputs", "path", "says"),
    [
        (deployment(replica=3), "spec.replica", "did you mean replicas?"),
        (deployment(replicas="3"), "spec.replicas", "expected integer"),
        (deployment(container={"image": "x"}), "spec.template.spec.containers[0].name", "missing"),
        ({"metadata": {}}, "spec", "missing"),
        ({**deployment(), "kind": "DaemonSet"}, "kind", "Deployment"),
        ({**deployment(), "apiVersion": "apps/v1beta1"}, "apiVersion", "apps/v1"),
        (deployment(labels={"a": "c"}), "spec.selector.matchLabels.a", "has 'c'"),
        (
            deployment(container={**CONTAINER, "resources": {"requests": {"cpu": "200 millis"}}}),
            "spec.template.spec.containers[0].resources.requests.cpu",
            "expected a quantity",
        ),
        ({**deployment(), "metadata": {"name": "Auth_Service"}}, "metadata.name", "lower-case"),
    ],
)
def test_a_wrong_object_is_refused_by_its_path(client: Client, inputs: Map, path: str, says: str) -> None:
    failures = client.refusals(DEPLOYMENT, inputs)
    found = failures.get(path) or failures.get(path.replace(".a", '["a"]'))
    assert found is not None, failures
    assert says in found


def test_a_kind_that_a_known_group_has_not_is_refused(client: Client) -> None:
    assert "has no kind Deploymint" in client.refusals("kubernetes:apps/v1:Deploymint", {})[""]


def test_custom_resources_need_what_every_object_has(client: Client) -> None:
    right: Map = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "a"}}
    assert client.refusals(SCALED, {**right, "spec": {"anything": [1]}}) == {}
    assert set(client.refusals(SCALED, {"spec": {}})) == {"apiVersion", "kind"}
    assert (
        "expected 'keda.sh/v1alpha1'"
        in client.refusals(SCALED, {**right, "apiVersion": "keda.sh/v1"})["apiVersion"]
    )
    assert (
        "did you mean labels?"
        in client.refusals(SCALED, {**right, "metadata": {"label": {}}})["metadata.label"]
    )


def test_names_are_made_and_kept(client: Client) -> None:
    first, _ = client.check(CONFIG_MAP, {"data": {}}, name="Settings", seed=b"a")
    metadata = first["metadata"]
    assert isinstance(metadata, dict)
    assert re.fullmatch(r"settings-[0-9a-f]{7}", str(metadata["name"]))
    later, _ = client.check(CONFIG_MAP, {"data": {}}, olds=first, name="Settings", seed=b"b")
    assert later["metadata"] == metadata


def test_ids_are_namespace_and_name(connect: Connect) -> None:
    client = connect("kubernetes", {"namespace": "apps"})
    assert client.create(CONFIG_MAP, {"metadata": {"name": "a", "namespace": "b"}}).id == "b/a"
    assert client.create(CONFIG_MAP, {"metadata": {"name": "a"}}, name="own").id == "apps/a"
    assert client.create("kubernetes:core/v1:Namespace", {"metadata": {"name": "a"}}).id == "a"


def test_the_server_adds_identity_and_moves_versions_on(client: Client) -> None:
    made = client.create(CONFIG_MAP, {"metadata": {"name": "a"}, "data": {"k": "1"}})
    changed = client.update(CONFIG_MAP, made, {"metadata": {"name": "a"}, "data": {"k": "2"}})
    before, after = made.outputs["metadata"], changed.outputs["metadata"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["resourceVersion"], after["resourceVersion"]) == ("1", "2")
    assert before["uid"] == after["uid"]
    assert changed.outputs["data"] == {"k": "2"}


def test_a_load_balancer_service_gets_an_address(client: Client) -> None:
    made = client.create(
        SERVICE, {"metadata": {"name": "a"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    )
    status = made.outputs["status"]
    assert isinstance(status, dict)
    assert "hostname" in str(status)


def test_the_data_of_a_secret_is_secret_and_encoded(client: Client) -> None:
    made = client.create(SECRET, {"metadata": {"name": "a"}, "stringData": {"k": "v"}})
    data = made.outputs["data"]
    assert data == Secret({"k": base64.b64encode(b"v").decode()})
    assert isinstance(made.outputs["stringData"], Secret)


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces"),
    [
        (DEPLOYMENT, deployment(), deployment(replicas=2), []),
        (DEPLOYMENT, deployment(), {**deployment(), "metadata": {"name": "other"}}, ["metadata"]),
        (SERVICE, {"spec": {"clusterIP": "a"}}, {"spec": {"clusterIP": "b"}}, ["spec"]),
        (SERVICE, {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}}, []),
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": {"a": "2"}}, ["data"]),
        (SECRET, {"stringData": Secret({"a": "1"})}, {"stringData": Secret({"a": "2"})}, ["stringData"]),
        (SCALED, {"spec": {"a": 1}}, {"spec": {"a": 2}}, []),
        (
            "kubernetes:storage.k8s.io/v1:StorageClass",
            {"parameters": {"a": "1"}},
            {"parameters": {"a": "2"}},
            ["parameters"],
        ),
        (
            "kubernetes:batch/v1:Job",
            {"spec": {"template": {"a": 1}}},
            {"spec": {"template": {"a": 2}}},
            ["spec"],
        ),
        (RELEASE, {"version": "1"}, {"version": "2"}, []),
        (RELEASE, {"name": "a"}, {"name": "b"}, ["name"]),
    ],
)
def test_objects_are_replaced_for_what_cannot_change_in_place(
    client: Client, token: str, old: Map, new: Map, replaces: list[str]
) -> None:
    answer = client.diff(token, old, new)
    assert answer.changes == wire.provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == replaces


def test_config_maps_change_in_place_where_the_provider_was_told_so(connect: Connect) -> None:
    client = connect("kubernetes", {"enableConfigMapMutable": True})
    assert list(client.diff(CONFIG_MAP, {"data": {"a": "1"}}, {"data": {"a": "2"}}).replaces) == []
    frozen: Map = {"data": {"a": "1"}, "immutable": True}
    assert list(client.diff(CONFIG_MAP, frozen, {**frozen, "data": {"a": "2"}}).replaces) == ["data"]


def test_an_empty_object_is_not_an_absent_one(client: Client) -> None:
    volume: Map = {"name": "tmp"}
    old: Map = {"spec": {"volumes": [volume]}}
    new: Map = {"spec": {"volumes": [{**volume, "emptyDir": {}}]}}
    assert client.diff("kubernetes:core/v1:Pod", old, new).changes == wire.provider_pb2.DiffResponse.DIFF_SOME


def test_a_changed_kubeconfig_does_not_replace_the_provider(client: Client) -> None:
    def replaces(old: Map, new: Map) -> list[str]:
        request = wire.provider_pb2.DiffRequest(
            urn="urn", id="id", old_inputs=wire.encode(old), news=wire.encode(new)
        )
        return list(client.stub.DiffConfig(request).replaces)

    assert replaces({"kubeconfig": "a"}, {"kubeconfig": "b"}) == []
    assert replaces({"context": "a"}, {"context": "b"}) == ["context"]


def test_a_release_is_deployed_and_counts_its_revisions(client: Client) -> None:
    inputs: Map = {"chart": "keda", "version": "2.1", "name": "keda", "namespace": "keda"}
    made = client.create(RELEASE, inputs)
    changed = client.update(RELEASE, made, {**inputs, "version": "2.2"})
    statuses = [found.outputs["status"] for found in (made, changed)]
    assert [status["revision"] for status in statuses if isinstance(status, dict)] == [1, 2]
    assert made.id == "keda/keda"
    assert "did you mean chart?" in client.refusals(RELEASE, {"chart": "a", "chrat": "b"})["chrat"]


def test_a_preview_knows_the_object_but_not_its_status(client: Client) -> None:
    planned = client.create(DEPLOYMENT, deployment(), preview=True).outputs
    assert planned["status"] is UNKNOWN
    assert planned["metadata"] == {"name": "auth", "namespace": "default"}


def test_yaml_is_decoded(client: Client) -> None:
    content = (
        "kind: ConfigMap\nmetadata: {name: a}\n---\nkind: List\nitems: [{kind: Pod, metadata: {name: b}}]\n"
    )
    found = client.invoke("kubernetes:yaml:decode", {"text": content, "defaultNamespace": "x"})["result"]
    assert found == [
        {"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "x"}},
        {"kind": "Pod", "metadata": {"name": "b", "namespace": "x"}},
    ]
    with pytest.raises(grpc.RpcError, match="not YAML"):
        client.invoke("kubernetes:yaml:decode", {"text": "a: [", "defaultNamespace": ""})
    with pytest.raises(grpc.RpcError, match="no stand-in for function kubernetes:helm:template"):
        client.invoke("kubernetes:helm:template", {})
