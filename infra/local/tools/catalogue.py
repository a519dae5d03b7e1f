"""What can be built. Versions are in the go.mod of each tool's folder, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local import go_builds

FOLDER = Path(__file__).parent
"""One folder a tool, with its go.mod and go.sum."""

_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Programs that are built together, from one Go module.

    Attributes:
        name: Name of the tool and of its folder.
        module: The module that the programs are packages of.
        programs: Package of each program inside the module; empty for the module itself.
        version_variables: Go string variables that take the version; the linker sets them.
        about: What it is for, in a few words.
    """

    name: str
    module: str
    programs: Mapping[str, str]
    version_variables: tuple[str, ...] = ()
    about: str

    @property
    def folder(self) -> Path:
        """Where its go.mod and go.sum are."""
        return FOLDER / self.name

    @property
    def version(self) -> str:
        """The version that its go.mod pins."""
        return go_builds.pinned(self.folder, self.module)

    @property
    def packages(self) -> dict[str, str]:
        """Import path of each program."""
        return {
            name: f"{self.module}/{package}" if package else self.module
            for name, package in self.programs.items()
        }

    @property
    def linker_flags(self) -> str:
        """Flags that tell the programs their version; Go's own build does it for released ones."""
        return " ".join(f"-X {variable}={self.version}" for variable in self.version_variables)


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="etcd",
            module="go.etcd.io/etcd/server/v3",
            programs={"etcd": ""},
            about="the store of the Kubernetes API server",
        ),
        Tool(
            name="kubernetes",
            module="k8s.io/kubernetes",
            programs={
                "kube-apiserver": "cmd/kube-apiserver",
                "kube-controller-manager": "cmd/kube-controller-manager",
                "kube-scheduler": "cmd/kube-scheduler",
            },
            version_variables=tuple(f"{package}.gitVersion" for package in _VERSION_PACKAGES),
            about="the Kubernetes control plane",
        ),
        Tool(
            name="keda",
            module="github.com/kedacore/keda/v2",
            programs={"keda-operator": "cmd/operator", "keda-adapter": "cmd/adapter"},
            about="the autoscaler that owns the HPAs",
        ),
        Tool(
            name="istio",
            module="istio.io/istio",
            programs={"istioctl": "istioctl/cmd/istioctl", "pilot-discovery": "pilot/cmd/pilot-discovery"},
            about="the mesh's checks and its control plane",
        ),
        Tool(
            name="helm",
            module="helm.sh/helm/v4",
            programs={"helm": "cmd/helm"},
            version_variables=("helm.sh/helm/v4/internal/version.version",),
            about="renders charts",
        ),
        Tool(
            name="actionlint",
            module="github.com/rhysd/actionlint",
            programs={"actionlint": "cmd/actionlint"},
            about="checks the workflows of GitHub Actions",
        ),
    )
}
"""Every tool by name, the ones that most others need first."""
