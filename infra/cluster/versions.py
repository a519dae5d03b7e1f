"""Every version that runs in a cluster beside the services: Helm charts, EKS add-ons, the autoscaler's image.

One place, so that an upgrade is one reviewed change. `oldest` and `newest` are the Kubernetes minors a pin is
used with; raising `newest` means reading that release's notes first.
"""

from __future__ import annotations

from dataclasses import dataclass


class VersionError(ValueError):
    """A Kubernetes version that a pin of this module was not made for."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A pinned Helm chart.

    Attributes:
        chart: Name in the repository.
        repository: Address of the repository.
        version: Version of the chart, not of the application in it.
        oldest: Oldest Kubernetes minor it is used with, e.g. `1.34`.
        newest: Newest one.
    """

    chart: str
    repository: str
    version: str
    oldest: str = "1.34"
    newest: str = "1.36"


@dataclass(frozen=True, kw_only=True)
class EksAddOnVersion:
    """A pinned EKS add-on: one version for all Kubernetes minors, or one for each."""

    name: str
    versions: dict[str, str]

    def for_kubernetes(self, version: str) -> str:
        """Add-on version for a Kubernetes minor.

        Raises:
            VersionError: When no version is pinned for it.
        """
        if version not in self.versions:
            raise VersionError(
                f"EKS add-on {self.name!r} has no version for Kubernetes {version}; pinned are "
                f"{', '.join(sorted(self.versions))}. Find one with `aws eks describe-addon-versions "
                f"--addon-name {self.name} --kubernetes-version {version}` and add it to infra/cluster/versions.py"
            )
        return self.versions[version]


STANDARD_SUPPORT = {"1.34": "2026-12-02", "1.35": "2027-03-27", "1.36": "2027-08-02"}
"""Kubernetes versions that the add-ons are pinned for, and when EKS ends their standard support."""

_MINORS = ("1.34", "1.35", "1.36")
_ISTIO = "1.31.4"
_ISTIO_CHARTS = "https://istio-release.storage.googleapis.com/charts"
_PROMETHEUS_CHARTS = "https://prometheus-community.github.io/helm-charts"
_AUTOSCALER_CHARTS = "https://kubernetes.github.io/autoscaler"

CALICO = Chart(chart="tigera-operator", repository="https://docs.tigera.io/calico/charts", version="v3.32.1")
LOAD_BALANCER_CONTROLLER = Chart(
    chart="aws-load-balancer-controller", repository="https://aws.github.io/eks-charts", version="3.5.0"
)
CLUSTER_AUTOSCALER = Chart(chart="cluster-autoscaler", repository=_AUTOSCALER_CHARTS, version="9.59.0")
METRICS_SERVER = Chart(
    chart="metrics-server",
    repository="https://kubernetes-sigs.github.io/metrics-server",
    version="3.13.1",
)
ISTIO_BASE = Chart(chart="base", repository=_ISTIO_CHARTS, version=_ISTIO)
ISTIO_CNI = Chart(chart="cni", repository=_ISTIO_CHARTS, version=_ISTIO)
ISTIOD = Chart(chart="istiod", repository=_ISTIO_CHARTS, version=_ISTIO)
CERT_MANAGER = Chart(chart="cert-manager", repository="https://charts.jetstack.io", version="v1.21.2")
NGINX_INGRESS = Chart(chart="nginx-ingress", repository="https://helm.nginx.com/stable", version="2.7.2")
KEDA = Chart(chart="keda", repository="https://kedacore.github.io/charts", version="2.20.2")
VERTICAL_POD_AUTOSCALER = Chart(
    chart="vertical-pod-autoscaler", repository=_AUTOSCALER_CHARTS, version="0.11.0"
)
KUBE_PROMETHEUS_STACK = Chart(chart="kube-prometheus-stack", repository=_PROMETHEUS_CHARTS, version="88.5.3")
KAFKA_EXPORTER = Chart(chart="prometheus-kafka-exporter", repository=_PROMETHEUS_CHARTS, version="3.1.1")
EXTERNAL_SECRETS = Chart(
    chart="external-secrets", repository="https://charts.external-secrets.io", version="2.9.0"
)
NVIDIA_DEVICE_PLUGIN = Chart(
    chart="nvidia-device-plugin", repository="https://nvidia.github.io/k8s-device-plugin", version="0.20.0"
)

CHARTS = (
    CALICO,
    LOAD_BALANCER_CONTROLLER,
    CLUSTER_AUTOSCALER,
    METRICS_SERVER,
    ISTIO_BASE,
    ISTIO_CNI,
    ISTIOD,
    CERT_MANAGER,
    NGINX_INGRESS,
    KEDA,
    VERTICAL_POD_AUTOSCALER,
    KUBE_PROMETHEUS_STACK,
    KAFKA_EXPORTER,
    EXTERNAL_SECRETS,
    NVIDIA_DEVICE_PLUGIN,
)

VPC_CNI = EksAddOnVersion(name="vpc-cni", versions=dict.fromkeys(_MINORS, "v1.22.4-eksbuild.3"))
KUBE_PROXY = EksAddOnVersion(
    name="kube-proxy",
    versions={
        "1.34": "v1.34.6-eksbuild.13",
        "1.35": "v1.35.3-eksbuild.21",
        "1.36": "v1.36.0-eksbuild.25",
    },
)
COREDNS = EksAddOnVersion(
    name="coredns",
    versions={
        "1.34": "v1.13.2-eksbuild.10",
        "1.35": "v1.13.2-eksbuild.21",
        "1.36": "v1.14.3-eksbuild.23",
    },
)
EBS_CSI = EksAddOnVersion(name="aws-ebs-csi-driver", versions=dict.fromkeys(_MINORS, "v1.65.0-eksbuild.2"))
POD_IDENTITY_AGENT = EksAddOnVersion(
    name="eks-pod-identity-agent", versions=dict.fromkeys(_MINORS, "v1.3.10-eksbuild.3")
)

EKS_ADD_ONS = (VPC_CNI, KUBE_PROXY, COREDNS, EBS_CSI, POD_IDENTITY_AGENT)

CLUSTER_AUTOSCALER_IMAGES = {"1.34": "v1.34.5", "1.35": "v1.35.2", "1.36": "v1.36.1"}
"""Image tag by Kubernetes minor: the autoscaler simulates the scheduler, so its minor follows the cluster's."""

PGBOUNCER = "1.25.2"
"""The oldest that is safe: CVE-2026-6664 to 6667 are mended in it."""
PGBOUNCER_IMAGE = f"ghcr.io/cloudnative-pg/pgbouncer:{PGBOUNCER}"
PGBOUNCER_EXPORTER_IMAGE = "docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
"""Does nothing, in under a MiB; for pods that only keep room free."""
POSTGRES_CLIENT_IMAGE = "public.ecr.aws/docker/library/postgres:17.10-bookworm"
"""Carries psql, which runs the migrations; of the servers' major version."""


def minor(version: str) -> tuple[int, int]:
    """A Kubernetes minor such as `1.36` as numbers, so that 1.9 is older than 1.10."""
    major, _, rest = version.partition(".")
    return int(major), int(rest)


def check(kubernetes_version: str) -> None:
    """Refuse a Kubernetes version that not every pin is used with.

    Raises:
        VersionError: Names every chart and add-on that stands in the way, at once.
    """
    asked = minor(kubernetes_version)
    missing = [c.chart for c in CHARTS if not minor(c.oldest) <= asked <= minor(c.newest)]
    missing += [a.name for a in EKS_ADD_ONS if kubernetes_version not in a.versions]
    if kubernetes_version not in CLUSTER_AUTOSCALER_IMAGES:
        missing.append("the image of cluster-autoscaler")
    if missing:
        raise VersionError(
            f"Kubernetes {kubernetes_version} is outside what these pins are used with: {', '.join(missing)}; "
            f"allowed are {', '.join(_MINORS)}. Review the pins in infra/cluster/versions.py before raising the version"
        )
