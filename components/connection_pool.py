"""PgBouncer between the services and a PostgreSQL server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from components.connection_pool_network import network_policy_spec
from components.connection_pool_pod import CREDENTIALS_SUFFIX, EXPORTER_PORT, PoolerPod, pod_template
from components.secret_store import KeptPassword, TakenSecret, take_secret
from infra.cluster import versions
from infra.cluster.labels import selector_labels
from infra.cluster.manifests import LABELS
from infra.data import pgbouncer
from infra.data.pgbouncer import Pool, PoolerFiles, TlsMode
from infra.model.stack import ConnectionPoolSettings
from infra.naming import StackContext
from infra.ports import POOLER

DISRUPTED_AT_ONCE = 1


@dataclass(frozen=True, kw_only=True)
class PoolerSite:
    """Where poolers live and who reaches them.

    Attributes:
        provider: Provider of the cluster's Kubernetes API.
        namespace: Namespace of the poolers, in the mesh; take the created Namespace's name.
        client_namespace: Namespace whose pods may connect, proven by the mesh.
        mesh_namespace: Namespace of istiod.
        monitoring_namespace: Namespace of Prometheus.
        data_cidrs: Ranges of the subnets with the servers.
        store: Name of the namespace's SecretStore.
        authorities: Certificates, in PEM, that sign the servers.
        after: Releases that bring the kinds used here and their webhooks.
        await_rollouts: Whether an update waits until pods are ready.
    """

    provider: k8s.Provider
    namespace: pulumi.Input[str]
    client_namespace: str
    mesh_namespace: str
    monitoring_namespace: str
    data_cidrs: Sequence[pulumi.Input[str]]
    store: pulumi.Input[str]
    authorities: str
    after: tuple[pulumi.Resource, ...] = ()
    await_rollouts: bool = True


@dataclass(frozen=True, kw_only=True)
class PooledServer:
    """The server behind a pooler.

    Attributes:
        host: Its DNS name.
        databases: Names under which clients reach its database, one pool each.
        tls: How its certificate is checked: `verify-full`, but `verify-ca` for a name that is not the server's own.
    """

    host: pulumi.Input[str]
    databases: Sequence[str]
    tls: TlsMode = TlsMode.VERIFY_FULL


class ConnectionPool(Component):
    """A pooler of one PostgreSQL server: several equal PgBouncer pods behind one Service.

    Clients reach it through the mesh, whose mutual TLS proves and encrypts them, and log in with SCRAM; it reaches
    the server over TLS with the same role and password. Passwords come from Secrets Manager by External Secrets and
    lie in no ConfigMap. A leaving pod stops being found, finishes its open transactions, and only then ends
    (SIGINT: PgBouncer's safe shutdown). Passwords that change are read within seconds of reaching the pod, and nothing
    is closed for it; only the exporter's takes a restart of the pods.

    Args:
        name: Logical name, also of the Kubernetes objects, e.g. `pgbouncer`.
        context: Names, tags and protection of the stack.
        settings: Pods, connections a service (clients, and servers by the ratio), time limits in seconds.
        site: Cluster, namespace and neighbours.
        server: What is behind it.
        passwords: Where each user's password is kept, by user; `infra.data.pgbouncer.STATISTICS_USER` must be among
            them.
        opts: Options of the component itself.

    Outputs:
        host: DNS name inside the cluster.
        port: TCP port, 6432.

    Raises:
        ValueError: When there is no pool, or the statistics user has no password.

    Source of the numbers: the architecture specification by way of `ConnectionPoolSettings` (200 client
    connections a service, 10:1, statements 30 s, idle 5 minutes); the others are explained in `infra.data.pgbouncer`.
    """

    host: pulumi.Output[str]
    port: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: ConnectionPoolSettings,
        site: PoolerSite,
        server: PooledServer,
        passwords: Mapping[str, KeptPassword],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ConnectionPool", name, context=context, opts=opts)
        if pgbouncer.STATISTICS_USER not in passwords:
            raise ValueError(
                f"pooler {name}: no password for {pgbouncer.STATISTICS_USER}, which the exporter uses"
            )
        self._settings, self._site, self._server = settings, site, server
        account = self._create_account()
        credentials = self._create_credentials(passwords)
        configuration, digest = self._create_configuration()
        self._create_network_policy()
        deployment = self._create_deployment(
            account, PoolerPod(name=name, configuration=configuration, digest=digest), credentials
        )
        service = self._create_service(deployment)
        self._create_disruption_budget()
        self._create_mesh_policies()
        self._create_monitor()
        self.host = pulumi.Output.concat(service.metadata["name"], ".", site.namespace, ".svc.cluster.local")
        self.port = pulumi.Output.from_input(POOLER)
        self.register_outputs({"host": self.host, "port": self.port})

    def _metadata(self, suffix: str = "", *, waits: bool = False) -> k8s.meta.v1.ObjectMetaArgs:
        skip = {"pulumi.com/skipAwait": "true"} if waits and not self._site.await_rollouts else None
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self._name}{suffix}",
            namespace=self._site.namespace,
            labels={**LABELS, **selector_labels(self._name)},
            annotations=skip,
        )

    def _options(self, *, ordered: bool = False) -> pulumi.ResourceOptions:
        # What needs a kind or a webhook of a release waits for it.
        return self.child(provider=self._site.provider, depends_on=self._site.after if ordered else None)

    def _create_account(self) -> pulumi.Output[str]:
        account = k8s.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata=self._metadata(),
            automount_service_account_token=False,
            opts=self._options(),
        )
        return account.metadata["name"]

    def _create_credentials(self, passwords: Mapping[str, KeptPassword]) -> k8s.apiextensions.CustomResource:
        # The template's keys are Go identifiers; roles are such already.
        userlist = "".join(f'"{user}" "{{{{ .{user} }}}}"\n' for user in sorted(passwords))
        statistics = pgbouncer.STATISTICS_USER
        url = f"postgres://{statistics}:{{{{ .{statistics} }}}}@127.0.0.1:{POOLER}/pgbouncer?sslmode=disable"
        return take_secret(
            self,
            f"{self._name}-credentials",
            secret=TakenSecret(
                name=f"{self._name}{CREDENTIALS_SUFFIX}",
                namespace=self._site.namespace,
                store=self._site.store,
                passwords=passwords,
                template={"userlist.txt": userlist, "exporter-url": url},
            ),
            options=self._options(ordered=True),
        )

    def _create_configuration(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        document = pulumi.Output.from_input(self._server.host).apply(self._render)
        created = k8s.core.v1.ConfigMap(
            f"{self._name}-configuration",
            metadata=self._metadata("-configuration"),
            data={"pgbouncer.ini": document, "authorities.pem": self._site.authorities},
            opts=self._options(),
        )
        digest = document.apply(
            lambda text: hashlib.sha256((text + self._site.authorities).encode()).hexdigest()[:16]
        )
        return created.metadata["name"], digest

    def _render(self, host: str) -> str:
        return pgbouncer.render(
            [Pool(database=database, host=host) for database in self._server.databases],
            settings=self._settings,
            version=versions.minor(versions.PGBOUNCER.rsplit(".", 1)[0]),
            files=PoolerFiles(tls=self._server.tls),
        )

    def _create_network_policy(self) -> None:
        k8s.networking.v1.NetworkPolicy(
            f"{self._name}-network",
            metadata=self._metadata(),
            spec=network_policy_spec(
                pods=selector_labels(self._name),
                clients=self._site.client_namespace,
                mesh=self._site.mesh_namespace,
                monitoring=self._site.monitoring_namespace,
                data_cidrs=self._site.data_cidrs,
            ),
            opts=self._options(),
        )

    def _create_deployment(
        self, account: pulumi.Output[str], pod: PoolerPod, credentials: k8s.apiextensions.CustomResource
    ) -> k8s.apps.v1.Deployment:
        return k8s.apps.v1.Deployment(
            f"{self._name}-deployment",
            metadata=self._metadata(waits=True),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=self._settings.replicas,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector_labels(self._name)),
                strategy=k8s.apps.v1.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    # One pod over, never more: the connection budget counts it.
                    rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                        max_surge=pgbouncer.SURGE_PODS, max_unavailable=0
                    ),
                ),
                template=pod_template(pod, account=account),
            ),
            opts=self.child(
                provider=self._site.provider,
                # Pods wait for their credentials, and for the webhook that puts them into the mesh.
                depends_on=[credentials, *self._site.after],
            ),
        )

    def _create_service(self, deployment: k8s.apps.v1.Deployment) -> k8s.core.v1.Service:
        return k8s.core.v1.Service(
            f"{self._name}-service",
            metadata=self._metadata(waits=True),
            spec=k8s.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=deployment.spec["selector"]["match_labels"],
                ports=[
                    k8s.core.v1.ServicePortArgs(
                        name="tcp-pooler",
                        port=POOLER,
                        target_port="pooler",
                        protocol="TCP",
                        app_protocol="tcp",
                    )
                ],
            ),
            opts=self._options(),
        )

    def _create_disruption_budget(self) -> None:
        k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-disruption",
            metadata=self._metadata(),
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=DISRUPTED_AT_ONCE,
                unhealthy_pod_eviction_policy="AlwaysAllow",
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector_labels(self._name)),
            ),
            opts=self._options(),
        )

    def _create_mesh_policies(self) -> None:
        """Only mutual TLS, and only from the clients' namespace."""
        selector = {"matchLabels": dict(selector_labels(self._name))}
        rule = {
            "from": [{"source": {"namespaces": [self._site.client_namespace]}}],
            "to": [{"operation": {"ports": [str(POOLER)]}}],
        }
        for key, kind, spec in (
            ("authentication", "PeerAuthentication", {"selector": selector, "mtls": {"mode": "STRICT"}}),
            (
                "authorization",
                "AuthorizationPolicy",
                {"selector": selector, "action": "ALLOW", "rules": [rule]},
            ),
        ):
            k8s.apiextensions.CustomResource(
                f"{self._name}-{key}",
                api_version="security.istio.io/v1",
                kind=kind,
                metadata=self._metadata(),
                spec=spec,
                opts=self._options(ordered=True),
            )

    def _create_monitor(self) -> None:
        k8s.apiextensions.CustomResource(
            f"{self._name}-monitor",
            api_version="monitoring.coreos.com/v1",
            kind="PodMonitor",
            metadata=self._metadata(),
            spec={
                "selector": {"matchLabels": dict(selector_labels(self._name))},
                "podMetricsEndpoints": [{"portNumber": EXPORTER_PORT, "path": "/metrics", "interval": "15s"}],
            },
            opts=self._options(ordered=True),
        )
