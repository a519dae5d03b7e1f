"""Where the local platform keeps its things: one git-ignored folder in the working copy."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from infra.local.errors import LocalError

REPOSITORY = Path(__file__).resolve().parents[2]
"""The working copy this module is part of."""
CLUSTERS = "cluster"
"""The folder of clusters in the state folder, beside the providers' own."""


@dataclass(frozen=True, kw_only=True)
class Home:
    """The folders of one local platform; nothing outside `root` is written, but by `config set`."""

    root: Path
    project: Path

    @classmethod
    def locate(cls, *, environ: Mapping[str, str], cwd: Path) -> "Home":
        """Find the state folder (PULUMI_LOCAL_HOME) and the project (PULUMI_LOCAL_PROJECT, for tests)."""
        project = Path(environ.get("PULUMI_LOCAL_PROJECT") or REPOSITORY)
        root = Path(environ.get("PULUMI_LOCAL_HOME") or project / ".pulumi-local")
        return cls(root=(cwd / root).resolve(), project=(cwd / project).resolve())

    @property
    def backend(self) -> Path:
        """The engine's file backend."""
        return self.root / "backend"

    @property
    def backend_url(self) -> str:
        """The file backend as the engine wants it named."""
        return f"file://{quote(str(self.backend))}"

    @property
    def pulumi_home(self) -> Path:
        """The engine's own PULUMI_HOME: selected stack, logs, plugin cache."""
        return self.root / "pulumi"

    @property
    def mirror(self) -> Path:
        """The mirrored project folder, the only place where the engine may write stack files."""
        return self.root / "project"

    @property
    def providers(self) -> Path:
        """The records of the stand-in providers."""
        return self.root / "providers"

    @property
    def clusters(self) -> Path:
        """One folder per stack whose kubernetes provider has a real API server behind it."""
        return self.root / CLUSTERS

    @property
    def cloud(self) -> Path:
        """The AWS on this machine: its journal, and where it is."""
        return self.root / "cloud"

    @property
    def logs(self) -> Path:
        """Logs of what the local platform starts."""
        return self.root / "logs"

    @property
    def guards(self) -> Path:
        """One lock file per stack that a run is working on."""
        return self.root / "guards"

    @property
    def passphrases(self) -> Path:
        """Per stack, a fingerprint of the passphrase that its secrets were made with."""
        return self.root / "passphrases"

    def create(self) -> None:
        """Make the folders; a folder that cannot be made or written is an error that names it."""
        for folder in (
            self.backend,
            self.pulumi_home,
            self.mirror,
            self.providers,
            self.logs,
            self.guards,
            self.passphrases,
        ):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self.unusable(folder, error) from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise self.unusable(folder, None)

    def unusable(self, path: Path, error: OSError | None) -> LocalError:
        """The error for a part of the state folder that cannot be written or read."""
        found = f"{path}: {error.strerror if error else 'not writable'}"
        return LocalError(
            f"the state folder cannot be used.\n  found: {found}\n"
            "  needed: a folder that you can read and write\n"
            "  to do: make it writable, move the file that is in its place, or set PULUMI_LOCAL_HOME to another folder",
        )
