"""Everything a cluster consists of here, started and stopped together."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.cluster import crds
from infra.local.cluster.client import Client
from infra.local.cluster.control_plane import ControlPlane, Options
from infra.local.cluster.keda import Keda
from infra.local.cluster.kubelet import Behaviour, FakeKubelet
from infra.local.cluster.metrics import MetricsApi
from infra.local.cluster.nodes import FakeNodes
from infra.local.cluster.prometheus import MetricSource


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which parts a cluster has beside its control plane, nodes and kubelets.

    Attributes:
        control_plane: Options of the control plane.
        custom_resources: The add-ons' kinds.
        metrics: The metrics API.
        external_metrics: External metrics too; not where KEDA's own server runs.
        keda: KEDA's operator and metrics server, and a source that they read; they serve the external metrics.
        behaviour: How pods behave.
    """

    control_plane: Options = field(default_factory=Options)
    custom_resources: bool = True
    metrics: bool = True
    external_metrics: bool = True
    keda: bool = False
    behaviour: Behaviour = field(default_factory=Behaviour)


class LocalCluster:
    """A cluster on this machine; a context manager that starts and stops it.

    Args:
        folder: For keys, data and logs; is made.
        parts: What it has.

    Attributes:
        client: Requests as the administrator.
        kubeconfig: For other programs.
        nodes: Adds and removes nodes; there are none at the start.
        kubelet: Makes bound pods run.
        metrics: What autoscalers read, None without.
        source: What KEDA reads, None without.
    """

    client: Client
    nodes: FakeNodes
    kubelet: FakeKubelet
    metrics: MetricsApi | None
    source: MetricSource | None

    def __init__(self, folder: Path, *, parts: Parts | None = None) -> None:
        self._parts = parts or Parts()
        self._cleanup = ExitStack()
        self.control_plane = ControlPlane(folder, options=self._parts.control_plane)
        self.metrics = None
        self.source = None

    @property
    def kubeconfig(self) -> Path:
        """For kubectl and other programs."""
        return self.control_plane.kubeconfig

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all parts and return when they work.

        Raises:
            LocalError: A part did not start.
        """
        with ExitStack() as started:
            plane = started.enter_context(self.control_plane)
            self.client = plane.client
            self.kubelet = FakeKubelet(self.client, behaviour=self._parts.behaviour)
            started.callback(self.kubelet.close)
            self.nodes = FakeNodes(self.client)
            started.callback(self.nodes.close)
            if self._parts.custom_resources:
                crds.install(self.client)
            if self._parts.metrics:
                external = self._parts.external_metrics and not self._parts.keda
                self.metrics = MetricsApi(self.client, authority=plane.proxy_authority, external=external)
                started.callback(self.metrics.close)
                self.metrics.register()
            if self._parts.keda:
                self.source = MetricSource()
                started.callback(self.source.close)
                keda = Keda(plane, folder=plane.folder / "keda")
                started.callback(keda.close)
                keda.start()
            self._cleanup = started.pop_all()

    def stop(self) -> None:
        """Stop all parts."""
        self._cleanup.close()
