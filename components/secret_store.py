"""Where External Secrets finds the stack's secrets, for one namespace, and how a secret is taken from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from infra.cluster.manifests import LABELS
from infra.data.logins import logins, password_field
from infra.naming import StackContext

API_VERSION = "external-secrets.io/v1"
REFRESH_MINUTES = 15
"""How soon a rotated secret reaches the cluster."""


class SecretStore(Component):
    """A SecretStore of one namespace on the region's Secrets Manager.

    It names no credentials: the controller's own Pod Identity reads, and its policy says which secrets.

    Args:
        name: Logical name, e.g. `pooling-secrets`.
        context: Names, tags and protection of the stack.
        provider: Provider of the cluster's Kubernetes API.
        namespace: Namespace that may use it.
        after: Releases that bring the kind and its webhook.
        opts: Options of the component itself.

    Outputs:
        store: Name of the SecretStore.
    """

    store: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        provider: k8s.Provider,
        namespace: pulumi.Input[str],
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("SecretStore", name, context=context, opts=opts)
        created = k8s.apiextensions.CustomResource(
            f"{name}-store",
            api_version=API_VERSION,
            kind="SecretStore",
            metadata=k8s.meta.v1.ObjectMetaArgs(name=name, namespace=namespace, labels=LABELS),
            spec={"provider": {"aws": {"service": "SecretsManager", "region": context.region}}},
            # The kind exists only once the operator's release has brought it.
            opts=self.child(provider=provider, depends_on=after),
        )
        self.store = created.id.apply(lambda _: name)
        self.register_outputs({"store": self.store})


@dataclass(frozen=True, kw_only=True)
class KeptPassword:
    """A password in Secrets Manager.

    Attributes:
        kept_in: Name of the secret.
        field: Field of its document.
    """

    kept_in: pulumi.Input[str]
    field: str = "password"


def login_passwords(role_secrets: Mapping[str, pulumi.Input[str]]) -> Mapping[str, KeptPassword]:
    """Where the passwords of both logins of database roles are kept, by login.

    Args:
        role_secrets: Name of each role's secret.
    """
    return {
        login: KeptPassword(kept_in=secret, field=password_field(login))
        for role, secret in sorted(role_secrets.items())
        for login in logins(role)
    }


@dataclass(frozen=True, kw_only=True)
class TakenSecret:
    """A Kubernetes Secret to be made from fields of secrets in Secrets Manager.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        store: Name of the SecretStore.
        passwords: Where each password is kept, by a key for the template.
        template: Content of the Secret; `{{ .key }}` stands for a password.
    """

    name: str
    namespace: pulumi.Input[str]
    store: pulumi.Input[str]
    passwords: Mapping[str, KeptPassword]
    template: Mapping[str, str]


def take_secret(
    owner: Component, name: str, *, secret: TakenSecret, options: pulumi.ResourceOptions
) -> k8s.apiextensions.CustomResource:
    """Create the ExternalSecret of a `TakenSecret`.

    Args:
        owner: Component that it belongs to.
        name: Its logical name.
        secret: What to take.
        options: Options of the object, from the owner's `child`.
    """
    return k8s.apiextensions.CustomResource(
        name,
        api_version=API_VERSION,
        kind="ExternalSecret",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=secret.name,
            namespace=secret.namespace,
            labels=LABELS,
            annotations={"parking.platform/component": owner.pulumi_resource_name},
        ),
        spec={
            "refreshInterval": f"{REFRESH_MINUTES}m",
            "secretStoreRef": {"name": secret.store, "kind": "SecretStore"},
            "target": {
                "name": secret.name,
                "creationPolicy": "Owner",
                "template": {"engineVersion": "v2", "data": dict(secret.template)},
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": kept.kept_in, "property": kept.field}}
                for key, kept in sorted(secret.passwords.items())
            ],
        },
        opts=options,
    )
