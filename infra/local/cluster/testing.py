"""What tests and drills use of the local cluster, in one import."""

from infra.local.cluster import crds, nodes, waiting
from infra.local.cluster.client import Access, ApiError, Client, Json
from infra.local.cluster.control_plane import QUICK_AUTOSCALER, ControlPlane, Options, quick_autoscaler
from infra.local.cluster.harness import LocalCluster, Parts
from infra.local.cluster.kubelet import Behaviour, FakeKubelet
from infra.local.cluster.metrics import MetricsApi, Usage
from infra.local.cluster.nodes import FakeNodes, Size
from infra.local.cluster.prometheus import MetricSource

__all__ = [
    "QUICK_AUTOSCALER",
    "Access",
    "ApiError",
    "Behaviour",
    "Client",
    "ControlPlane",
    "FakeKubelet",
    "FakeNodes",
    "Json",
    "LocalCluster",
    "MetricSource",
    "MetricsApi",
    "Options",
    "Parts",
    "Size",
    "Usage",
    "crds",
    "nodes",
    "quick_autoscaler",
    "waiting",
]
