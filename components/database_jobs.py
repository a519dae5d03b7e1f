"""What runs against the database from inside the cluster: migrations before services roll, partitions every day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from components.secret_store import KeptPassword, TakenSecret, login_passwords, take_secret
from infra.cluster import versions
from infra.cluster.labels import selector_labels
from infra.cluster.manifests import LABELS
from infra.cluster.pools import POOL_LABEL, SHAPES, PoolName
from infra.data import migrations
from infra.naming import PROJECT, StackContext
from infra.ports import DNS, POSTGRES

FOLDER = Path(__file__).parent / "migrations"
USER = 999
"""The image's `postgres`."""
DEADLINE_SECONDS = 1800
QUARTERS_AHEAD = 4
QUARTERS_KEPT = 8
"""Two years in the table; older ones are detached and wait to be archived."""
DAILY = "17 3 * * *"
_MOUNT = "/migrations"


@dataclass(frozen=True, kw_only=True)
class JobSite:
    """Where the jobs run.

    Attributes:
        provider: Provider of the cluster's Kubernetes API.
        namespace: Namespace of the jobs, the poolers'.
        store: Name of its SecretStore.
        data_cidrs: Ranges of the subnets with the servers.
        authorities: Certificates, in PEM, that sign the server.
        after: Releases that bring External Secrets.
    """

    provider: k8s.Provider
    namespace: pulumi.Input[str]
    store: pulumi.Input[str]
    data_cidrs: Sequence[pulumi.Input[str]]
    authorities: str
    after: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Logins:
    """Who logs in, and who may.

    Attributes:
        owner: Owner of the database.
        owner_secret: Name of the secret with its password.
        role_secrets: Name of each role's secret.
        writers: Roles that may write.
        statement_timeout_seconds: Longest statement of a role.
    """

    owner: str
    owner_secret: pulumi.Input[str]
    role_secrets: Mapping[str, pulumi.Input[str]]
    writers: Sequence[str]
    statement_timeout_seconds: int


class DatabaseJobs(Component):
    """Applies the migrations and makes the roles (a Job), and keeps partitions ahead (a CronJob).

    The Job's name carries a digest of everything it runs, so that a new migration is a new Job and nothing else is.
    It talks to the writer itself, not to the pooler, because a migration may take longer than a statement may.

    Args:
        name: Logical name, e.g. `database-jobs`.
        context: Names, tags and protection of the stack.
        site: Cluster and neighbours.
        host: DNS name of the writer.
        logins: The owner, and the roles to make.
        opts: Options of the component itself.

    Outputs:
        job: Name of the Job.
        ready: The Job: workloads wait for it.

    Raises:
        infra.data.migrations.MigrationError: When the migrations cannot be put in order.

    Source of the numbers: partitions by quarter and the grouping of locations are the specification's; 4 quarters
    ahead (a year in which the job may fail unseen) and 8 kept are this project's.
    """

    job: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        site: JobSite,
        host: pulumi.Input[str],
        logins: Logins,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("DatabaseJobs", name, context=context, opts=opts)
        self._site, self._host, self._logins = site, host, logins
        self._documents = self._render()
        self._create_network_policy()
        credentials = self._create_credentials()
        scripts = self._create_scripts()
        job = self._create_job(scripts, credentials)
        self._create_partition_job(scripts, job)
        self.job, self.ready = job.metadata["name"], (job,)
        self.register_outputs({"job": self.job})

    def _render(self) -> Mapping[str, str]:
        logins = self._logins
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.sql"))}
        ahead, kept = f"make_partitions_ahead({QUARTERS_AHEAD})", f"detach_old_partitions({QUARTERS_KEPT})"
        return {
            **files,
            "apply.sql": migrations.driver(files),
            "roles.sql": migrations.roles(
                sorted(logins.role_secrets),
                writers=logins.writers,
                statement_timeout_seconds=logins.statement_timeout_seconds,
            ),
            "partitions.sql": f"SELECT {ahead};\nSELECT {kept};\n",
            "authorities.pem": self._site.authorities,
        }

    @property
    def _digest(self) -> str:
        text = "\0".join(f"{name}\0{text}" for name, text in sorted(self._documents.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def _metadata(self, suffix: str = "") -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self._name}{suffix}",
            namespace=self._site.namespace,
            labels={**LABELS, **selector_labels(self._name)},
        )

    def _create_network_policy(self) -> None:
        net = k8s.networking.v1
        dns = net.NetworkPolicyPeerArgs(
            namespace_selector=k8s.meta.v1.LabelSelectorArgs(
                match_labels={"kubernetes.io/metadata.name": "kube-system"}
            ),
            pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"}),
        )
        servers = [
            net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr=cidr)) for cidr in self._site.data_cidrs
        ]
        net.NetworkPolicy(
            f"{self._name}-network",
            metadata=self._metadata(),
            spec=net.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector_labels(self._name)),
                policy_types=["Ingress", "Egress"],
                egress=[
                    net.NetworkPolicyEgressRuleArgs(
                        to=[dns],
                        ports=[net.NetworkPolicyPortArgs(protocol=kind, port=DNS) for kind in ("UDP", "TCP")],
                    ),
                    net.NetworkPolicyEgressRuleArgs(
                        to=servers, ports=[net.NetworkPolicyPortArgs(protocol="TCP", port=POSTGRES)]
                    ),
                ],
            ),
            opts=self.child(provider=self._site.provider),
        )

    def _create_credentials(self) -> k8s.apiextensions.CustomResource:
        passwords = login_passwords(self._logins.role_secrets)
        return take_secret(
            self,
            f"{self._name}-credentials",
            secret=TakenSecret(
                name=f"{self._name}-credentials",
                namespace=self._site.namespace,
                store=self._site.store,
                passwords={"owner": KeptPassword(kept_in=self._logins.owner_secret), **passwords},
                template={
                    "PGPASSWORD": "{{ .owner }}",
                    **{f"PASSWORD_{login.upper()}": f"{{{{ .{login} }}}}" for login in passwords},
                },
            ),
            # The kind and its webhook come with the operator's release.
            options=self.child(provider=self._site.provider, depends_on=self._site.after),
        )

    def _create_scripts(self) -> k8s.core.v1.ConfigMap:
        return k8s.core.v1.ConfigMap(
            f"{self._name}-scripts",
            metadata=self._metadata(f"-{self._digest}"),
            data=dict(self._documents),
            opts=self.child(provider=self._site.provider),
        )

    def _create_job(self, scripts: k8s.core.v1.ConfigMap, credentials: pulumi.Resource) -> k8s.batch.v1.Job:
        return k8s.batch.v1.Job(
            f"{self._name}-migrations",
            metadata=self._metadata(f"-migrations-{self._digest}"),
            spec=k8s.batch.v1.JobSpecArgs(
                backoff_limit=5,
                active_deadline_seconds=DEADLINE_SECONDS,
                template=self._pod(scripts, ("apply.sql", "roles.sql")),
            ),
            # Its pod cannot start without its credentials.
            opts=self.child(provider=self._site.provider, depends_on=[credentials]),
        )

    def _create_partition_job(self, scripts: k8s.core.v1.ConfigMap, job: pulumi.Resource) -> None:
        k8s.batch.v1.CronJob(
            f"{self._name}-partitions",
            metadata=self._metadata("-partitions"),
            spec=k8s.batch.v1.CronJobSpecArgs(
                schedule=DAILY,
                concurrency_policy="Forbid",
                starting_deadline_seconds=3600,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=3,
                job_template=k8s.batch.v1.JobTemplateSpecArgs(
                    spec=k8s.batch.v1.JobSpecArgs(
                        backoff_limit=3,
                        active_deadline_seconds=DEADLINE_SECONDS,
                        template=self._pod(scripts, ("partitions.sql",)),
                    )
                ),
            ),
            # The functions that it calls are a migration's.
            opts=self.child(provider=self._site.provider, depends_on=[job]),
        )

    def _pod(self, scripts: k8s.core.v1.ConfigMap, files: Sequence[str]) -> k8s.core.v1.PodTemplateSpecArgs:
        core, labels = k8s.core.v1, selector_labels(self._name)
        return core.PodTemplateSpecArgs(
            metadata=k8s.meta.v1.ObjectMetaArgs(
                labels={**labels, "sidecar.istio.io/inject": "false"},
            ),
            spec=core.PodSpecArgs(
                restart_policy="Never",
                automount_service_account_token=False,
                enable_service_links=False,
                node_selector={POOL_LABEL: PoolName.DATABASE.value},
                tolerations=[
                    core.TolerationArgs(
                        key=taint.key, operator="Equal", value=taint.value, effect="NoSchedule"
                    )
                    for taint in SHAPES[PoolName.DATABASE].taints
                ],
                security_context=core.PodSecurityContextArgs(
                    run_as_non_root=True,
                    run_as_user=USER,
                    run_as_group=USER,
                    seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
                ),
                containers=[self._container(files)],
                volumes=[
                    core.VolumeArgs(
                        name="scripts",
                        config_map=core.ConfigMapVolumeSourceArgs(name=scripts.metadata["name"]),
                    )
                ],
            ),
        )

    def _container(self, files: Sequence[str]) -> k8s.core.v1.ContainerArgs:
        core = k8s.core.v1
        variables: dict[str, pulumi.Input[str]] = {
            "PGHOST": self._host,
            "PGPORT": str(POSTGRES),
            "PGDATABASE": PROJECT,
            "PGUSER": self._logins.owner,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": f"{_MOUNT}/authorities.pem",
            "PGAPPNAME": self._name,
            "PGCONNECT_TIMEOUT": "10",
        }
        secret = core.SecretEnvSourceArgs(name=f"{self._name}-credentials")
        return core.ContainerArgs(
            name="psql",
            image=versions.POSTGRES_CLIENT_IMAGE,
            image_pull_policy="IfNotPresent",
            command=["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"],
            args=[f"--file={_MOUNT}/{file}" for file in files],
            env=[core.EnvVarArgs(name=key, value=value) for key, value in variables.items()],
            env_from=[core.EnvFromSourceArgs(secret_ref=secret)],
            resources=core.ResourceRequirementsArgs(
                requests={"cpu": "50m", "memory": "64Mi"}, limits={"cpu": "500m", "memory": "256Mi"}
            ),
            security_context=core.SecurityContextArgs(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=core.CapabilitiesArgs(drop=["ALL"]),
            ),
            volume_mounts=[core.VolumeMountArgs(name="scripts", mount_path=_MOUNT, read_only=True)],
        )
