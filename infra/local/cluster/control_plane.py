"""A real Kubernetes control plane on this machine: etcd, API server, controllers and scheduler, on loopback only."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local import tools
from infra.local.cluster import waiting
from infra.local.cluster.certificates import Authority, Pair, service_account_keys
from infra.local.cluster.children import Child, free_ports
from infra.local.cluster.client import Access, ApiError, Client
from infra.local.errors import LocalError, say
from infra.local.files import write_atomically

_HOST = "127.0.0.1"
_ATTEMPTS = 3
_NOT_STARTED = "the control plane was not started.\n  to do: call start() first"
_READY_SECONDS = 120.0
_ADMIN = "admin"
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def quick_autoscaler(seconds: float) -> tuple[str, ...]:
    """Controller arguments that let the autoscaler look that often, and at pods that just started."""
    return (
        f"--horizontal-pod-autoscaler-sync-period={round(seconds * 1000)}ms",
        "--horizontal-pod-autoscaler-initial-readiness-delay=0s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=0s",
    )


QUICK_AUTOSCALER = quick_autoscaler(1)
"""An autoscaler that looks every second."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may differ between control planes.

    Attributes:
        service_cidr: Range of service addresses.
        controller_arguments: More arguments of kube-controller-manager, e.g. to speed the autoscaler up.
        api_arguments: More arguments of kube-apiserver.
        keep_data: Keep what is stored when it stops, for the next start in the same folder.
    """

    service_cidr: str = "172.20.0.0/16"
    controller_arguments: tuple[str, ...] = ()
    api_arguments: tuple[str, ...] = ()
    keep_data: bool = False


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """Files that tell who is who; made anew for each start."""

    authority: Authority
    proxy_authority: Authority
    server: Pair
    etcd_client: Pair
    proxy_client: Pair
    service_accounts: Path
    tokens: Path
    token_of: dict[str, str]


class ControlPlane:
    """Starts and stops a control plane; a context manager that starts and stops it.

    Nothing outlives the process that started it, however that ends (on Linux).

    Args:
        folder: For keys, data, logs and the kubeconfig; is made.
        options: What may differ.

    Attributes:
        kubeconfig: For kubectl and other programs; after `start`.
    """

    kubeconfig: Path

    def __init__(self, folder: Path, *, options: Options | None = None) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self._options = options or Options()
        self._children: list[Child] = []
        self._identity: _Identity | None = None
        self._client: Client | None = None

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
        """Start it, and return when it takes objects and its controllers work.

        Raises:
            LocalError: It did not start; the text has the last words of the server that failed.
        """
        programs = tools.obtain("etcd") | tools.obtain("kubernetes")
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start(programs)
            except _PortLostError:
                self.stop()
                if attempt == _ATTEMPTS:
                    raise
                say("a port was taken meanwhile; trying others")
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """Stop it, the API server before its store; what is stored goes unless it is to be kept."""
        if self._client is not None:
            self._client.close()
        for child in reversed(self._children):
            child.stop(patience=5.0 if self._options.keep_data else 1.0)
        self._children.clear()
        if not self._options.keep_data:
            shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    @property
    def children(self) -> Sequence[Child]:
        """The servers that run."""
        return self._children

    @property
    def client(self) -> Client:
        """Requests as the administrator."""
        if self._client is None:
            raise LocalError(_NOT_STARTED)
        return self._client

    @property
    def proxy_authority(self) -> Authority:
        """Signs what the API server shows to aggregated APIs, and issues their servers' certificates."""
        if self._identity is None:
            raise LocalError(_NOT_STARTED)
        return self._identity.proxy_authority

    # Steps of a start

    def _start(self, programs: dict[str, Path]) -> None:
        for name in ("pki", "etcd", "logs"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._identity = identity = _make_identity(self.folder / "pki")
        store, peer, api = free_ports(3)
        self._run("etcd", [str(programs["etcd"]), *self._etcd_arguments(identity, store, peer)])
        self._run(
            "kube-apiserver", [str(programs["kube-apiserver"]), *self._api_arguments(identity, store, api)]
        )
        access = Access(
            host=_HOST, port=api, ca=identity.authority.certificate, token=identity.token_of[_ADMIN]
        )
        self._client = Client(access)
        write_kubeconfig(self.kubeconfig, access)
        self._until("the API server", self._api_is_ready)
        for name, arguments in (
            ("kube-controller-manager", self._controller_arguments(identity, api)),
            ("kube-scheduler", self._scheduler_arguments(identity, api)),
        ):
            self._run(name, [str(programs[name]), *arguments])
        self._until("the controllers", self._controllers_work)

    def _run(self, name: str, command: list[str]) -> None:
        self._children.append(Child(name, command=command, logs=self.folder / "logs"))

    def _until(self, subject: str, ready: waiting.Condition) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            self._check_children()
            if time.monotonic() > deadline:
                child = self._children[-1]
                raise LocalError(
                    f"{subject} did not get ready within {_READY_SECONDS:.0f} s.\n"
                    f"  found: {child.last_words()}\n  to do: see {child.log}"
                )
            time.sleep(0.02)

    def _check_children(self) -> None:
        for child in self._children:
            if child.exit_code is None:
                continue
            words = child.last_words()
            if "address already in use" in words:
                raise _PortLostError(f"{child.name}: {words}")
            raise LocalError(
                f"{child.name} ended with exit code {child.exit_code}.\n"
                f"  found: {words}\n  to do: see {child.log}"
            )

    def _api_is_ready(self) -> bool:
        try:
            self.client.request("GET", "/readyz")
        except (ApiError, OSError):
            return False
        return True

    def _controllers_work(self) -> bool:
        """Whether pods can be made: a namespace has its service account and the authority's certificate."""
        try:
            return (
                self.client.get("v1", "ServiceAccount", "default", namespace="default") is not None
                and self.client.get("v1", "ConfigMap", "kube-root-ca.crt", namespace="default") is not None
            )
        except OSError:
            return False

    # Arguments of the servers

    def _etcd_arguments(self, identity: _Identity, store: int, peer: int) -> list[str]:
        url, peer_url = f"https://{_HOST}:{store}", f"https://{_HOST}:{peer}"
        return [
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--client-cert-auth",
            f"--trusted-ca-file={identity.authority.certificate}",
            f"--cert-file={identity.server.certificate}",
            f"--key-file={identity.server.key}",
            "--peer-client-cert-auth",
            f"--peer-trusted-ca-file={identity.authority.certificate}",
            f"--peer-cert-file={identity.server.certificate}",
            f"--peer-key-file={identity.server.key}",
            # Losing the last writes in a power cut is no loss here, and waiting for the disk is.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _api_arguments(self, identity: _Identity, store: int, port: int) -> list[str]:
        authority, server = identity.authority.certificate, identity.server
        return [
            f"--etcd-servers=https://{_HOST}:{store}",
            f"--etcd-cafile={authority}",
            f"--etcd-certfile={identity.etcd_client.certificate}",
            f"--etcd-keyfile={identity.etcd_client.key}",
            f"--bind-address={_HOST}",
            f"--advertise-address={_HOST}",
            f"--secure-port={port}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--client-ca-file={authority}",
            f"--token-auth-file={identity.tokens}",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={identity.service_accounts}",
            f"--service-account-signing-key-file={identity.service_accounts}",
            f"--service-cluster-ip-range={self._options.service_cidr}",
            # Its own address is loopback, which no endpoint may have.
            "--endpoint-reconciler-type=none",
            f"--requestheader-client-ca-file={identity.proxy_authority.certificate}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={identity.proxy_client.certificate}",
            f"--proxy-client-key-file={identity.proxy_client.key}",
            "--allow-privileged=true",
            "--enable-priority-and-fairness=false",
            *self._options.api_arguments,
        ]

    def _controller_arguments(self, identity: _Identity, api: int) -> list[str]:
        kubeconfig = self._component_kubeconfig("system:kube-controller-manager", identity, api)
        return [
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--root-ca-file={identity.authority.certificate}",
            f"--service-account-private-key-file={identity.service_accounts}",
            "--use-service-account-credentials=true",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            *self._options.controller_arguments,
        ]

    def _scheduler_arguments(self, identity: _Identity, api: int) -> list[str]:
        kubeconfig = self._component_kubeconfig("system:kube-scheduler", identity, api)
        config = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 500, "burst": 1000},
        }
        path = self.folder / "pki" / "scheduler.json"
        write_atomically(path, json.dumps(config))
        return [f"--config={path}", "--secure-port=0"]

    def _component_kubeconfig(self, user: str, identity: _Identity, api: int) -> Path:
        path = self.folder / "pki" / f"{user.replace(':', '-')}.kubeconfig"
        access = Access(
            host=_HOST, port=api, ca=identity.authority.certificate, token=identity.token_of[user]
        )
        write_kubeconfig(path, access)
        return path


class _PortLostError(LocalError):
    """Another program took a port between choosing it and listening on it."""


def write_kubeconfig(path: Path, access: Access, *, user: str = _ADMIN) -> None:
    """Write a kubeconfig, which may be JSON, that only its owner may read."""
    server = f"https://{access.host}:{access.port}"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "local", "cluster": {"server": server, "certificate-authority": str(access.ca)}}
        ],
        "users": [{"name": user, "user": {"token": access.token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
        "current-context": "local",
    }
    write_atomically(path, json.dumps(content, indent=1))


def _make_identity(folder: Path) -> _Identity:
    authority = Authority(folder, name="local-ca")
    proxy_authority = Authority(folder, name="front-proxy-ca")
    users = {
        _ADMIN: "system:masters",
        "system:kube-controller-manager": "",
        "system:kube-scheduler": "",
    }
    token_of = {user: secrets.token_urlsafe(24) for user in users}
    tokens = folder / "tokens.csv"
    lines = [f'{token_of[user]},{user},{user},"{group}"' for user, group in users.items()]
    write_atomically(tokens, "\n".join(lines) + "\n")
    return _Identity(
        authority=authority,
        proxy_authority=proxy_authority,
        server=authority.issue("kube-apiserver", server_names=_NAMES),
        etcd_client=authority.issue("etcd-client"),
        proxy_client=proxy_authority.issue("front-proxy"),
        service_accounts=service_account_keys(folder),
        tokens=tokens,
        token_of=token_of,
    )
