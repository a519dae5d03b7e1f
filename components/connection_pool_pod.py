"""The pods of a pooler: PgBouncer, its exporter, and how they come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta

from infra.cluster import fit, versions
from infra.cluster.labels import selector_labels
from infra.cluster.pools import POOL_LABEL, SHAPES, PoolName
from infra.cluster.scheduling import priority_class_name
from infra.data.pgbouncer import PoolerFiles, start_script
from infra.model.service import Criticality
from infra.ports import POOLER, POSTGRES

CREDENTIALS_SUFFIX = "-credentials"
EXPORTER_PORT = 9127
USER = 998
"""PgBouncer's user in its image."""
LEAVING_SECONDS = 15
"""Until every client has heard that a leaving pod takes no more."""
DRAIN_SECONDS = 45
"""A statement of 30 s, and time to commit."""
CONFIGURATION = "/etc/pgbouncer/configuration/pgbouncer.ini"
GRACE_SECONDS = LEAVING_SECONDS + DRAIN_SECONDS + 15


@dataclass(frozen=True, kw_only=True)
class PoolerPod:
    """What tells one pooler's pods from another's.

    Attributes:
        name: Name of the pooler.
        configuration: Name of the ConfigMap with pgbouncer.ini.
        digest: Digest of it: PgBouncer keeps old server connections when it reloads, so a change makes new pods.
    """

    name: str
    configuration: pulumi.Input[str]
    digest: pulumi.Input[str]


def pod_template(pod: PoolerPod, *, account: pulumi.Input[str]) -> core.v1.PodTemplateSpecArgs:
    """The template of a pooler's Deployment.

    Args:
        pod: Name and configuration.
        account: Service account.
    """
    labels = selector_labels(pod.name)
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(
            labels=labels,
            annotations={
                "parking.platform/configuration-digest": pod.digest,
                # The server speaks TLS of its own; Prometheus is outside the mesh, admitted by network policy.
                "traffic.sidecar.istio.io/excludeOutboundPorts": str(POSTGRES),
                "traffic.sidecar.istio.io/excludeInboundPorts": str(EXPORTER_PORT),
            },
        ),
        spec=core.v1.PodSpecArgs(
            service_account_name=account,
            automount_service_account_token=False,
            enable_service_links=False,
            priority_class_name=priority_class_name(Criticality.CRITICAL),
            termination_grace_period_seconds=GRACE_SECONDS,
            node_selector={POOL_LABEL: PoolName.DATABASE.value},
            tolerations=[
                core.v1.TolerationArgs(
                    key=taint.key, operator="Equal", value=taint.value, effect="NoSchedule"
                )
                for taint in SHAPES[PoolName.DATABASE].taints
            ],
            affinity=_apart(labels),
            topology_spread_constraints=[
                core.v1.TopologySpreadConstraintArgs(
                    max_skew=1,
                    topology_key="topology.kubernetes.io/zone",
                    # As a wish, so that a lost zone does not keep its pooler from being replaced.
                    when_unsatisfiable="ScheduleAnyway",
                    label_selector=meta.v1.LabelSelectorArgs(match_labels=labels),
                    match_label_keys=["pod-template-hash"],
                )
            ],
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=USER,
                run_as_group=USER,
                fs_group=USER,
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[_pooler(), _exporter(pod)],
            volumes=[
                core.v1.VolumeArgs(
                    name="configuration", config_map=core.v1.ConfigMapVolumeSourceArgs(name=pod.configuration)
                ),
                core.v1.VolumeArgs(
                    name="credentials",
                    secret=core.v1.SecretVolumeSourceArgs(
                        secret_name=f"{pod.name}{CREDENTIALS_SUFFIX}",
                        default_mode=0o440,
                        items=[core.v1.KeyToPathArgs(key="userlist.txt", path="userlist.txt")],
                    ),
                ),
            ],
        ),
    )


def _apart(labels: Mapping[str, str]) -> core.v1.AffinityArgs:
    term = core.v1.PodAffinityTermArgs(
        topology_key="kubernetes.io/hostname",
        label_selector=meta.v1.LabelSelectorArgs(match_labels=labels),
    )
    return core.v1.AffinityArgs(
        pod_anti_affinity=core.v1.PodAntiAffinityArgs(
            preferred_during_scheduling_ignored_during_execution=[
                core.v1.WeightedPodAffinityTermArgs(weight=100, pod_affinity_term=term)
            ]
        )
    )


def _hardened() -> core.v1.SecurityContextArgs:
    return core.v1.SecurityContextArgs(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
    )


def _pooler() -> core.v1.ContainerArgs:
    listening = core.v1.ProbeArgs(
        tcp_socket=core.v1.TCPSocketActionArgs(port="pooler"), period_seconds=5, failure_threshold=3
    )
    # SIGINT is the safe shutdown: open transactions end, then PgBouncer does, and with it this script. The
    # kubelet's SIGTERM, after the script, would wait for clients that never leave by themselves.
    leave = f"sleep {LEAVING_SECONDS}; kill -INT 1; sleep {DRAIN_SECONDS}"
    return core.v1.ContainerArgs(
        name="pgbouncer",
        image=versions.PGBOUNCER_IMAGE,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", start_script(ini=CONFIGURATION, userlist=PoolerFiles().userlist)],
        ports=[core.v1.ContainerPortArgs(name="pooler", container_port=POOLER, protocol="TCP")],
        lifecycle=core.v1.LifecycleArgs(
            pre_stop=core.v1.LifecycleHandlerArgs(
                exec_=core.v1.ExecActionArgs(command=["/bin/sh", "-c", leave])
            )
        ),
        readiness_probe=listening,
        liveness_probe=listening,
        resources=core.v1.ResourceRequirementsArgs(
            # PgBouncer is one thread: more than one cpu is never used.
            requests=fit.POOLER_REQUESTS,
            limits={"cpu": "1", "memory": "256Mi"},
        ),
        security_context=_hardened(),
        volume_mounts=[
            core.v1.VolumeMountArgs(name=name, mount_path=f"/etc/pgbouncer/{name}", read_only=True)
            for name in ("configuration", "credentials")
        ],
    )


def _exporter(pod: PoolerPod) -> core.v1.ContainerArgs:
    secret = core.v1.SecretKeySelectorArgs(name=f"{pod.name}{CREDENTIALS_SUFFIX}", key="exporter-url")
    return core.v1.ContainerArgs(
        name="exporter",
        image=versions.PGBOUNCER_EXPORTER_IMAGE,
        image_pull_policy="IfNotPresent",
        args=[f"--web.listen-address=:{EXPORTER_PORT}"],
        env=[
            core.v1.EnvVarArgs(
                name="PGBOUNCER_EXPORTER_CONNECTION_STRING",
                value_from=core.v1.EnvVarSourceArgs(secret_key_ref=secret),
            )
        ],
        ports=[core.v1.ContainerPortArgs(name="metrics", container_port=EXPORTER_PORT, protocol="TCP")],
        resources=core.v1.ResourceRequirementsArgs(
            requests=fit.POOLER_EXPORTER_REQUESTS, limits={"cpu": "100m", "memory": "64Mi"}
        ),
        security_context=_hardened(),
    )
