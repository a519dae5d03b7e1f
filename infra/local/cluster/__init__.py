"""A real Kubernetes control plane with nodes that are only objects: what the scheduler and controllers do is real."""

from infra.local.cluster.client import Access, ApiError, Client, Json
from infra.local.cluster.control_plane import ControlPlane, Options
from infra.local.cluster.kubelet import Behaviour, FakeKubelet
from infra.local.cluster.metrics import MetricsApi, Usage
from infra.local.cluster.nodes import FakeNodes, Size

__all__ = [
    "Access",
    "ApiError",
    "Behaviour",
    "Client",
    "ControlPlane",
    "FakeKubelet",
    "FakeNodes",
    "Json",
    "MetricsApi",
    "Options",
    "Size",
    "Usage",
]
