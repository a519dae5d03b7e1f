"""The plug-in for pulumi-kubernetes: objects are checked by the SDK's types and kept as records."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from typing import Final

import yaml

from infra.local.providers import sdk
from infra.local.providers.check import Failure, check_inputs, unknown_property
from infra.local.providers.diffing import Difference, DiffRules, difference
from infra.local.providers.kubernetes.rules import CHECKERS, REPLACES, check_metadata
from infra.local.providers.naming import suffix, was_automatic
from infra.local.providers.plugin import Instance, Plugin, RefusedError, Resource, UnknownFunctionError
from infra.local.providers.sdk import ResourceSchema
from infra.local.providers.values import (
    DEFAULTS,
    UNKNOWN,
    Map,
    Secret,
    Unknown,
    Value,
    entries,
    fields,
    has_secret,
    plain,
    quote,
    reveal,
    text,
)

_DECODE: Final = "kubernetes:yaml:decode"
_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_AUTO_NAMED: Final = "pulumi.com/autonamed"
_CLUSTER_SCOPED: Final = frozenset({
    "Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass", "PriorityClass",
    "CustomResourceDefinition", "APIService", "IngressClass", "RuntimeClass", "CSIDriver", "CSINode",
    "VolumeAttachment",
    "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "FlowSchema",
    "ValidatingAdmissionPolicyBinding", "PriorityLevelConfiguration", "CertificateSigningRequest", "DeviceClass",
    "ClusterTrustBundle", "GatewayClass", "ClusterIssuer", "ClusterSecretStore", "ClusterExternalSecret", "NodePool",
    "EC2NodeClass", "NodeClaim", "GlobalNetworkPolicy", "Installation", "APIServer", "ClusterTriggerAuthentication",
})  # fmt: skip


class KubernetesPlugin(Plugin):
    """Kubernetes as far as a record can be it: no controller acts, nothing is awaited."""

    package = "kubernetes"
    version = "4.34.2"

    def check(self, resource: Resource) -> list[Failure]:
        """Check typed kinds by the SDK, custom resources for what every object has."""
        schema = self.schema(resource.token)
        if schema is None:
            return self._check_custom(resource)
        failures = check_inputs(schema.inputs, resource.inputs)
        if failures or resource.token == _RELEASE:
            return failures
        kind = resource.token.rpartition(":")[2]
        failures = check_metadata(resource)
        return failures + [failure for checker in CHECKERS.get(kind, []) for failure in checker(resource)]

    def _check_custom(self, resource: Resource) -> list[Failure]:
        _, group, kind = resource.token.split(":")
        known = [token.rpartition(":")[2] for token in sdk.tokens(f"kubernetes:{group}:")]
        if known:
            return [Failure("", f"{group} has no kind {kind} ({unknown_property(kind, known)})")]
        failures = [
            Failure(name, "missing: every object requires it")
            for name in ("apiVersion", "kind", "metadata")
            if resource.inputs.get(name) is None
        ]
        for name, wanted in (("apiVersion", group), ("kind", kind)):
            given = plain(resource.inputs.get(name))
            if given is not None and not isinstance(given, Unknown) and given != wanted:
                failures.append(Failure(name, f"is {quote(resource.inputs.get(name))}; expected {wanted!r}"))
        metadata = plain(resource.inputs.get("metadata"))
        object_meta = sdk.schema("kubernetes:core/v1:ConfigMap")
        if isinstance(metadata, dict) and object_meta is not None:
            failures += check_inputs({"metadata": object_meta.inputs["metadata"]}, {"metadata": metadata})
        elif metadata is not None and not isinstance(metadata, Unknown):
            failures.append(Failure("metadata", "expected an object"))
        return failures or check_metadata(resource)

    def name(self, resource: Resource, olds: Map, seed: bytes) -> None:
        """Give an object without a name one, keep the one it has."""
        inputs = resource.inputs
        if resource.token == _RELEASE:
            self._name_release(resource, olds, seed)
            return
        metadata = plain(inputs.get("metadata"))
        if resource.token.endswith(("List", "Patch")) or isinstance(metadata, Unknown):
            return
        fresh = dict(fields(metadata))
        if fresh.get("name") is not None or fresh.get("generateName") is not None:
            return
        before = fields(olds.get("metadata"))
        automatic = text(fields(before.get("annotations")).get(_AUTO_NAMED)) == "true"
        kept = text(before.get("name")) if automatic else ""
        fresh["name"] = kept or f"{resource.name.lower()}-{suffix(seed, resource.urn)}"
        fresh["annotations"] = {**fields(fresh.get("annotations")), _AUTO_NAMED: "true"}
        inputs["metadata"] = fresh

    @staticmethod
    def _name_release(resource: Resource, olds: Map, seed: bytes) -> None:
        if resource.inputs.get("name") is not None:
            return
        kept = text(olds.get("name")) if was_automatic(olds, "name") else ""
        resource.inputs["name"] = kept or f"{resource.name.lower()}-{suffix(seed, resource.urn)}"
        resource.inputs[DEFAULTS] = ["name"]

    def normalise(self, token: str, inputs: Map) -> None:
        """State apiVersion and kind, as the SDK does."""
        schema = self.schema(token)
        if schema is None or token == _RELEASE:
            return
        _, group, kind = token.split(":")
        if "apiVersion" in schema.inputs:
            inputs.setdefault("apiVersion", group.removeprefix("core/"))
            inputs.setdefault("kind", kind.removesuffix("Patch"))

    def diff_rules(self, token: str) -> DiffRules:
        """Say which fields the API server would not change in place."""
        kind = token.rpartition(":")[2].removesuffix("Patch")
        base = ["name", "namespace"] if token == _RELEASE else ["metadata.name", "metadata.namespace", "kind"]
        return DiffRules(replaces=frozenset([*base, *REPLACES.get(kind, [])]), empty_is_absent=False)

    def diff(self, resource: Resource, olds: Map, ignore: list[str], state: Map) -> Difference:
        """Compare; ConfigMaps and Secrets are replaced unless the provider was told that they may change."""
        del state
        rules = self.diff_rules(resource.token)
        kind = resource.token.rpartition(":")[2]
        mutable = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}.get(kind)
        if mutable is not None:
            allowed = plain(resource.instance.config.get(mutable)) in (True, "true")
            immutable = (
                plain(resource.inputs.get("immutable")) is True or plain(olds.get("immutable")) is True
            )
            if not allowed or immutable:
                extra = {"ConfigMap": {"data", "binaryData"}, "Secret": {"data", "stringData", "type"}}[kind]
                rules = DiffRules(replaces=rules.replaces | extra, empty_is_absent=False)
        found = difference(rules, olds, resource.inputs, ignore)
        found.delete_before_replace = bool(found.replaced) and self._same_name(resource, olds, found)
        return found

    @staticmethod
    def _same_name(resource: Resource, olds: Map, found: Difference) -> bool:
        """Whether the new object would take the old one's name, so that the old one must go first."""
        if any(
            path in found.changes for path in ("metadata.name", "metadata.namespace", "name", "namespace")
        ):
            return False
        metadata = fields(resource.inputs.get("metadata"))
        automatic = text(fields(metadata.get("annotations")).get(_AUTO_NAMED)) == "true"
        del olds
        return not automatic

    def diff_config(self, olds: Map, news: Map) -> Difference:
        """Keep what a provider made when its kubeconfig changes: only another cluster makes it unmanageable."""
        rules = DiffRules(replaces=frozenset({"clusterIdentifier", "cluster", "context"}))
        return difference(rules, olds, news)

    def _namespace(self, resource: Resource) -> str:
        given = text(fields(resource.inputs.get("metadata")).get("namespace"))
        return given or text(resource.instance.config.get("namespace")) or "default"

    def create(self, resource: Resource, generation: int) -> tuple[str, Map]:
        """Make up what the API server adds: identity, versions, defaults the programs read."""
        if resource.token == _RELEASE:
            return self._release(resource, 1)
        outputs: Map = copy.deepcopy(
            {name: value for name, value in resource.inputs.items() if name != DEFAULTS}
        )
        metadata = dict(fields(outputs.get("metadata")))
        kind = resource.token.rpartition(":")[2]
        digits = resource.digest(generation)
        metadata.setdefault("name", text(metadata.get("generateName")) + digits[:5])
        if kind not in _CLUSTER_SCOPED:
            metadata.setdefault("namespace", self._namespace(resource))
        uid = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
        metadata.update(uid=uid, resourceVersion="1", creationTimestamp="2026-01-01T00:00:00Z", generation=1)
        outputs["metadata"] = metadata
        self._complete(resource, kind, outputs, digits)
        namespace, name = text(metadata.get("namespace")), text(metadata.get("name"))
        return (f"{namespace}/{name}" if kind not in _CLUSTER_SCOPED else name), outputs

    def _complete(self, resource: Resource, kind: str, outputs: Map, digits: str) -> None:
        if kind == "Service":
            spec = dict(fields(outputs.get("spec")))
            spec.setdefault("type", "ClusterIP")
            spec.setdefault("clusterIP", f"172.20.{int(digits[:2], 16)}.{int(digits[2:4], 16)}")
            outputs["spec"] = spec
            host = f"k8s-{resource.name[:8]}-{digits[:10]}.elb.local.amazonaws.com"
            balanced = text(spec.get("type")) == "LoadBalancer"
            outputs["status"] = {"loadBalancer": {"ingress": [{"hostname": host}]} if balanced else {}}
        elif kind == "Namespace":
            outputs["status"] = {"phase": "Active"}
        elif kind == "Secret" and outputs.get("stringData") is not None:
            encoded: Map = {
                key: base64.b64encode(text(value).encode()).decode()
                for key, value in fields(reveal(outputs.get("stringData"))).items()
            }
            outputs["data"] = Secret({**fields(reveal(outputs.get("data"))), **encoded})

    def _release(self, resource: Resource, revision: int) -> tuple[str, Map]:
        outputs: Map = {name: value for name, value in resource.inputs.items() if name != DEFAULTS}
        name = text(outputs.get("name"))
        namespace = text(outputs.get("namespace")) or self._namespace(resource)
        outputs.setdefault("namespace", namespace)
        outputs["status"] = {
            "name": name,
            "namespace": namespace,
            "revision": revision,
            "status": "deployed",
            "chart": text(outputs.get("chart")),
            "version": text(outputs.get("version")),
            "appVersion": "",
        }
        outputs["resourceNames"] = {}
        return f"{namespace}/{name}", outputs

    def update(self, resource: Resource, identity: str, generation: int, old: Map) -> Map:
        """Move the object to its next version."""
        del identity
        if resource.token == _RELEASE:
            revision = fields(old.get("status")).get("revision")
            return self._release(resource, int(revision) + 1 if isinstance(revision, int) else 1)[1]
        _, outputs = self.create(resource, generation)
        before, metadata = fields(old.get("metadata")), dict(fields(outputs.get("metadata")))
        metadata["resourceVersion"] = str(int(text(before.get("resourceVersion"), "0") or 0) + 1)
        for name in ("uid", "creationTimestamp"):
            metadata[name] = before.get(name, metadata[name])
        outputs["metadata"] = metadata
        return outputs

    def plan(self, resource: Resource, old: Map | None) -> Map:
        """Show the object as given; the API server's additions stay unknown but for what it had."""
        known: Map = {name: value for name, value in resource.inputs.items() if name != DEFAULTS}
        if resource.token == _RELEASE:
            known["status"], known["resourceNames"] = UNKNOWN, UNKNOWN
            known.setdefault("namespace", self._namespace(resource))
            return known
        metadata = plain(known.get("metadata"))
        kind = resource.token.rpartition(":")[2]
        if isinstance(metadata, dict) and kind not in _CLUSTER_SCOPED and metadata.get("name") is not None:
            known["metadata"] = {
                **metadata,
                "namespace": metadata.get("namespace", self._namespace(resource)),
            }
        schema = self.schema(resource.token)
        if schema is not None and "status" in schema.outputs and "status" not in known:
            known["status"] = (old or {}).get("status", UNKNOWN)
        return known

    def conceal(self, token: str, properties: Map) -> Map:
        """Mark a Secret's data secret, and a whole release whose values hold secrets."""
        concealed = super().conceal(token, properties)
        if (
            token.startswith("kubernetes:core/v1:Secret")
            and "data" in concealed
            and not has_secret(concealed["data"])
        ):
            concealed["data"] = Secret(concealed["data"])
        return concealed

    def schema(self, token: str) -> ResourceSchema | None:
        """Return what the SDK says about a kind, None for custom resources."""
        return sdk.schema(token)

    def check_invoke(self, token: str, arguments: Map) -> list[Failure]:
        """Leave arguments to the functions themselves: the SDK has no signatures for them."""
        del token, arguments
        return []

    def invoke(self, token: str, arguments: Map, instance: Instance) -> Map:
        """Decode YAML for `ConfigFile` and `ConfigGroup`; charts need Helm itself."""
        if token != _DECODE:
            raise UnknownFunctionError(token)
        default = text(arguments.get("defaultNamespace")) or text(instance.config.get("namespace"))
        try:
            documents: list[Mapping[str, Value]] = [
                found for found in yaml.safe_load_all(text(arguments.get("text"))) if found
            ]
        except yaml.YAMLError as problem:
            raise RefusedError(f"not YAML: {problem}") from None
        result: list[Value] = []
        for document in documents:
            listed = (
                entries(document.get("items"))
                if str(document.get("kind", "")).endswith("List")
                else [dict(document)]
            )
            result += [self._placed(fields(item), default) for item in listed]
        return {"result": result}

    @staticmethod
    def _placed(item: Map, namespace: str) -> Value:
        metadata = dict(fields(item.get("metadata")))
        if namespace and text(item.get("kind")) not in _CLUSTER_SCOPED:
            metadata.setdefault("namespace", namespace)
        return {**item, "metadata": metadata}
