"""Which Pulumi provider plugins the installed Python packages ask for."""

import json
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import cast


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A provider plugin, as a package's pulumi-plugin.json names it."""

    name: str
    version: str
    server: str


def installed(site_packages: Path | None = None) -> list[Plugin]:
    """List the plugins of all installed Pulumi SDKs, by name."""
    folder = site_packages or Path(sysconfig.get_path("purelib"))
    found: list[Plugin] = []
    for path in sorted(folder.glob("*/pulumi-plugin.json")):
        content = cast("dict[str, object]", json.loads(path.read_text(encoding="utf-8")))
        name, version = content.get("name"), content.get("version")
        if content.get("resource") and isinstance(name, str) and isinstance(version, str):
            server = content.get("server")
            plain = version.removeprefix("v")
            found.append(Plugin(name=name, version=plain, server=server if isinstance(server, str) else ""))
    return found
