"""The environment of a local run: nothing of the caller's cloud accounts, and the engine kept to this machine."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.home import Home

BUILT_IN = "local"
"""The passphrase unless one is set; the secrets of stand-ins protect nothing."""

VARIABLE = "PULUMI_CONFIG_PASSPHRASE"
FILE_VARIABLE = "PULUMI_CONFIG_PASSPHRASE_FILE"

ONE_CHECKPOINT = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""For runs whose state is thrown away: it is written once, not at every step, which is three quarters of an `up`.

A killed run leaves no state behind then, so it is for no other.
"""

# The caller's accounts and clusters; a local run must neither use nor see them.
_REMOVED_PREFIXES = ("AWS_", "ARM_", "AZURE_", "GOOGLE_", "KUBE_", "PULUMI_DEBUG_", "PULUMI_OTEL_")
_REMOVED = frozenset(
    {
        "KUBECONFIG",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_API",
        "PULUMI_BACKEND_URL",
        "PULUMI_CLOUD_URL",
        "PULUMI_DEFAULT_ORGANIZATION",
        "PULUMI_HOME",
        "PULUMI_IGNORE_AMBIENT_PLUGINS",
        "PULUMI_NEO",
        "PULUMI_COPILOT",
        "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES",
    }
)


SUMMARY = "PARKING_SUMMARY_FILE"
"""Where the program shall write the summary of a preview instead of saying it among the diagnostics."""


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without accounts, clusters and other backends."""
    return {
        name: value
        for name, value in environ.items()
        if name not in _REMOVED and not name.startswith(_REMOVED_PREFIXES)
    }


def for_engine(
    *,
    environ: Mapping[str, str],
    home: Home,
    language_host: Path,
    engine_version: str,
    ports: Mapping[str, int],
    summary: Path | None = None,
) -> dict[str, str]:
    """The environment that the engine, the language host and the program run in."""
    env = scrubbed(environ)
    python = Path(sys.executable)
    env |= {
        "PATH": os.pathsep.join((str(language_host), str(python.parent), env.get("PATH", os.defpath))),
        "PULUMI_BACKEND_URL": home.backend_url,
        "PULUMI_HOME": str(home.pulumi_home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
        "PULUMI_LOG_ROTATION_MAX_TOTAL_MB": "50",
        # The engine lives for seconds: collecting its garbage at a hundred MiB takes a fifth of its time.
        "GOGC": environ.get("GOGC", "400"),
        # The stand-ins are the providers: fetching real ones (hundreds of megabytes) would be for nothing.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": environ.get(
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true"
        ),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "KUBECONFIG": os.devnull,
        # For messages only: the program must be the same on AWS and here.
        "PULUMI_LOCAL": "1",
        "PULUMI_LOCAL_PYTHON": str(python),
        "PULUMI_LOCAL_LANGUAGE_HOST": str(Path(__file__).with_name("language_host.py")),
        "PULUMI_LOCAL_ENGINE_VERSION": engine_version,
    }
    if ports:
        env["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in sorted(ports.items()))
    if summary is not None:
        env[SUMMARY] = str(summary)
    if sys.prefix != sys.base_prefix:
        env["VIRTUAL_ENV"] = sys.prefix
    if path := env.get(FILE_VARIABLE):
        # The engine runs in the mirrored project, not where the caller is.
        env[FILE_VARIABLE] = str(Path(path).absolute())
    if not passphrase_is_set(environ):
        env[VARIABLE] = BUILT_IN
    return env


def passphrase_is_set(environ: Mapping[str, str]) -> bool:
    """Whether the caller chose a passphrase; an empty one counts, as it does for the engine."""
    return VARIABLE in environ or bool(environ.get(FILE_VARIABLE))


def passphrase(environ: Mapping[str, str]) -> str:
    """The passphrase in force, found as the engine finds it.

    Raises:
        OSError: PULUMI_CONFIG_PASSPHRASE_FILE names a file that cannot be read.
    """
    if VARIABLE in environ:
        return environ[VARIABLE]
    if path := environ.get(FILE_VARIABLE):
        return Path(path).read_text(encoding="utf-8").strip()
    return BUILT_IN
