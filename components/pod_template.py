"""The pod of a service: one hardened container, its probes, its place and its way to leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pulumi
from pulumi_kubernetes import core, meta

from infra.cluster.labels import STABLE, object_labels, selector_labels
from infra.cluster.pools import POOL_LABEL, SHAPES, PoolName
from infra.cluster.scheduling import priority_class_name
from infra.model.service import Service
from infra.ports import DATA_PORTS, POD_IDENTITY_ADDRESS
from infra.traffic.drain import explain_grace, grace_is_enough, pre_stop_seconds

USER = 10_001
"""User and group of the process; no image may rely on root."""
SCRATCH_DIRECTORY = PurePosixPath("/", "tmp")
"""The one writable place, gone with the pod."""
POLICY_DIRECTORY = "/etc/parking"
STARTUP_SECONDS = 30
"""A container that does not listen by then is restarted (specification: service restart under 30 s)."""
READINESS_PERIOD_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class PodConfiguration:
    """What a pod reads.

    Attributes:
        environment: Name of the ConfigMap with its environment variables.
        policy: Name of the ConfigMap with its policy files.
        digest: Digest of both, which rolls the pods on change.
    """

    environment: pulumi.Input[str]
    policy: pulumi.Input[str]
    digest: pulumi.Input[str]


def check_grace(service: Service) -> None:
    """Refuse a termination grace that would cut a draining request.

    Raises:
        ValueError: When the grace does not exceed the drain and the slowest request together.
    """
    if not grace_is_enough(service):
        raise ValueError(
            f"{service.name}: terminationGraceSeconds is {service.termination_grace_seconds}; it must exceed "
            f"{explain_grace(service)}"
        )


def pod_template(
    *,
    service: Service,
    image: pulumi.Input[str],
    service_account: pulumi.Input[str],
    configuration: PodConfiguration,
    version: str = STABLE,
) -> core.v1.PodTemplateSpecArgs:
    """The template of a service's Deployment, or of its canary's.

    Raises:
        ValueError: When the termination grace is too short (see `check_grace`).
    """
    check_grace(service)
    labels = {**object_labels(service), "version": version}
    return core.v1.PodTemplateSpecArgs(
        metadata=meta.v1.ObjectMetaArgs(labels=labels, annotations=_annotations(service, configuration)),
        spec=core.v1.PodSpecArgs(
            service_account_name=service_account,
            # AWS credentials come by Pod Identity's own projected token; nothing here talks to Kubernetes.
            automount_service_account_token=False,
            enable_service_links=False,
            priority_class_name=priority_class_name(service.criticality),
            termination_grace_period_seconds=service.termination_grace_seconds,
            node_selector={POOL_LABEL: service.pool.value},
            tolerations=_tolerations(service),
            affinity=_anti_affinity(service),
            topology_spread_constraints=_spread(service),
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=USER,
                run_as_group=USER,
                fs_group=USER,
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[_container(service, image, configuration)],
            volumes=[
                core.v1.VolumeArgs(
                    name="tmp", empty_dir=core.v1.EmptyDirVolumeSourceArgs(size_limit="256Mi")
                ),
                core.v1.VolumeArgs(
                    name="policy", config_map=core.v1.ConfigMapVolumeSourceArgs(name=configuration.policy)
                ),
            ],
        ),
    )


def _annotations(service: Service, configuration: PodConfiguration) -> Mapping[str, pulumi.Input[str]]:
    return {
        "parking.platform/configuration-digest": configuration.digest,
        # Stores speak their own TLS; a sidecar in between would only see bytes it cannot route.
        "traffic.sidecar.istio.io/excludeOutboundPorts": ",".join(str(port) for port in sorted(DATA_PORTS)),
        # The credentials agent answers on the node, before the sidecar is up.
        "traffic.sidecar.istio.io/excludeOutboundIPRanges": POD_IDENTITY_ADDRESS,
        # Prometheus is outside the mesh; the network policy admits it alone.
        "traffic.sidecar.istio.io/excludeInboundPorts": str(service.metrics_port),
    }


def _tolerations(service: Service) -> list[core.v1.TolerationArgs]:
    return [
        core.v1.TolerationArgs(key=taint.key, operator="Equal", value=taint.value, effect="NoSchedule")
        for taint in SHAPES[PoolName(service.pool.value)].taints
    ]


def _spread(service: Service) -> list[core.v1.TopologySpreadConstraintArgs]:
    """Even over zones and nodes, as a wish.

    As a demand (DoNotSchedule), a zone that is short of capacity would stop every other zone from growing one pod
    ahead of it, just when load rises. Counting each revision by itself keeps a roll-out even too.
    """
    return [
        core.v1.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=key,
            when_unsatisfiable="ScheduleAnyway",
            label_selector=meta.v1.LabelSelectorArgs(match_labels=selector_labels(service.workload_name)),
            match_label_keys=["pod-template-hash"],
            # Nodes of other pools and unreachable zones are no place to keep in balance with.
            node_affinity_policy="Honor",
            node_taints_policy="Honor",
        )
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def _anti_affinity(service: Service) -> core.v1.AffinityArgs:
    term = core.v1.PodAffinityTermArgs(
        topology_key="kubernetes.io/hostname",
        label_selector=meta.v1.LabelSelectorArgs(match_labels=selector_labels(service.workload_name)),
    )
    return core.v1.AffinityArgs(
        pod_anti_affinity=core.v1.PodAntiAffinityArgs(
            preferred_during_scheduling_ignored_during_execution=[
                core.v1.WeightedPodAffinityTermArgs(weight=100, pod_affinity_term=term)
            ]
        )
    )


def _container(
    service: Service, image: pulumi.Input[str], configuration: PodConfiguration
) -> core.v1.ContainerArgs:
    resources = service.resources
    return core.v1.ContainerArgs(
        name=service.workload_name,
        image=image,
        image_pull_policy="IfNotPresent",
        ports=[
            core.v1.ContainerPortArgs(name="http", container_port=service.port, protocol="TCP"),
            core.v1.ContainerPortArgs(
                name="http-metrics", container_port=service.metrics_port, protocol="TCP"
            ),
        ],
        env_from=[
            core.v1.EnvFromSourceArgs(
                config_map_ref=core.v1.ConfigMapEnvSourceArgs(name=configuration.environment)
            )
        ],
        resources=core.v1.ResourceRequirementsArgs(
            requests={"cpu": resources.cpu_request, "memory": resources.memory_request},
            limits={"cpu": resources.cpu_limit, "memory": resources.memory_limit},
        ),
        startup_probe=_listening(period_seconds=1, failure_threshold=STARTUP_SECONDS),
        liveness_probe=_listening(period_seconds=10, failure_threshold=3),
        readiness_probe=core.v1.ProbeArgs(
            http_get=core.v1.HTTPGetActionArgs(path=service.health.path, port="http", scheme="HTTP"),
            period_seconds=READINESS_PERIOD_SECONDS,
            timeout_seconds=min(service.health.timeout_seconds, READINESS_PERIOD_SECONDS),
            success_threshold=1,
            failure_threshold=service.health.unhealthy_threshold,
        ),
        lifecycle=core.v1.LifecycleArgs(
            pre_stop=core.v1.LifecycleHandlerArgs(
                sleep=core.v1.SleepActionArgs(seconds=pre_stop_seconds(service))
            )
        ),
        security_context=core.v1.SecurityContextArgs(
            allow_privilege_escalation=False,
            privileged=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
        ),
        volume_mounts=[
            core.v1.VolumeMountArgs(name="tmp", mount_path=str(SCRATCH_DIRECTORY)),
            core.v1.VolumeMountArgs(name="policy", mount_path=POLICY_DIRECTORY, read_only=True),
        ],
    )


def _listening(*, period_seconds: int, failure_threshold: int) -> core.v1.ProbeArgs:
    """A probe of the process alone.

    The health path tests dependencies, as the specification asks. Asked by the liveness or startup probe, it
    would turn an outage of the database into restarts of every pod; only readiness may depend on others.
    """
    return core.v1.ProbeArgs(
        tcp_socket=core.v1.TCPSocketActionArgs(port="http"),
        period_seconds=period_seconds,
        timeout_seconds=1 if period_seconds == 1 else 3,
        failure_threshold=failure_threshold,
    )
