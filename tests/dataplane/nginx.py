"""A real NGINX with what the ingress controller would write for it: its ConfigMap's entries, and the routes.

The controller itself cannot be had here. This renders the part of its templates that the values and the objects of
`infra.traffic.ingress` use, each entry to the directive that the controller's documentation names for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.cluster.certificates import Pair
from infra.local.cluster.children import Child
from tests.dataplane.servers import program, unprivileged, until

_SECONDS_TO_REACH = 60
_CORE = {
    "real-ip-header": "real_ip_header",
    "server-tokens": "server_tokens",
    "ssl-protocols": "ssl_protocols",
    "keepalive-timeout": "keepalive_timeout",
    "keepalive-requests": "keepalive_requests",
    "proxy-connect-timeout": "proxy_connect_timeout",
    "real-ip-recursive": "real_ip_recursive",
}
_OTHER = {"set-real-ip-from", "worker-shutdown-timeout", "http-snippets", "log-format", "log-format-escaping"}
_SWITCHES = {"True": "on", "False": "off"}


class UnknownEntryError(ValueError):
    """An entry whose directive is not known here: nothing may be left out unseen."""


def core(entries: Mapping[str, str]) -> list[str]:
    """Directives of the http block that the ConfigMap's entries ask for.

    Raises:
        UnknownEntryError: For an entry that is not rendered.
    """
    unknown = sorted(set(entries) - set(_CORE) - _OTHER)
    if unknown:
        raise UnknownEntryError(f"no directive is known for {', '.join(unknown)}")
    lines = [
        f"{directive} {_SWITCHES.get(entries[key], entries[key])};"
        for key, directive in _CORE.items()
        if key in entries
    ]
    lines += [f"set_real_ip_from {hop};" for hop in entries["set-real-ip-from"].split(",")]
    lines += entries["http-snippets"].splitlines()
    escaping, text = entries["log-format-escaping"], entries["log-format"]
    return [*lines, f"log_format main escape={escaping} '{text}';"]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the server is and what it speaks to.

    Attributes:
        folder: For its files.
        port: TLS port.
        pair: Its certificate.
        services: Address of each service's cluster address, `host:port` by its name.
    """

    folder: Path
    port: int
    pair: Pair
    services: Mapping[str, str]


def configuration(entries: Mapping[str, str], manifests: Sequence[Any], site: Site) -> str:
    """The whole nginx.conf."""
    folder = site.folder
    specs = {(manifest.kind, manifest.name): manifest.spec for manifest in manifests}
    server = specs["VirtualServer", "ingress"]
    routes = [specs["VirtualServerRoute", name] for name in _delegated(server)]
    limits = {name: spec for (kind, name), spec in specs.items() if kind == "Policy"}
    http = [
        *core(entries),
        f"access_log {folder}/access.log main;",
        'map "" $service { default "none"; }',
        *(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ),
        *(line for name, spec in limits.items() for line in _zone(name, spec["rateLimit"])),
        *(line for route in routes for line in _upstreams(route, site)),
        "server {",
        f"listen 127.0.0.1:{site.port} ssl default_server;",
        f"server_name {server['host']};",
        f"ssl_certificate {site.pair.certificate}; ssl_certificate_key {site.pair.key};",
        *(line for route in routes for line in _locations(route, limits)),
        *_default(server),
        "}",
    ]
    events = "events { worker_connections 512; }"
    main = [
        "worker_processes 1;",
        "daemon off;",
        f"pid {folder}/pid;",
        f"error_log {folder}/error.log warn;",
        f"worker_shutdown_timeout {entries['worker-shutdown-timeout']};",
        events,
    ]
    return "\n".join([*main, "http {", *http, "}", ""])


def _delegated(server: Mapping[str, Any]) -> Iterator[str]:
    for route in server["routes"]:
        if "route" in route:
            yield route["route"].partition("/")[2]


def _default(server: Mapping[str, Any]) -> Iterator[str]:
    for route in server["routes"]:
        if "action" in route:
            answer = route["action"]["return"]
            yield f"location {route['path']} {{ default_type {answer['type']}; "
            yield f'return {answer["code"]} "{answer["body"]}"; }}'


def _zone(name: str, limit: Mapping[str, Any]) -> Iterator[str]:
    key = limit["key"].replace("{", "").replace("}", "")
    yield f"limit_req_zone {key} zone={name}:{limit['zoneSize']} rate={limit['rate']};"


def _upstreams(route: Mapping[str, Any], site: Site) -> Iterator[str]:
    for upstream in route["upstreams"]:
        address = site.services[upstream["service"]]
        yield f"upstream {upstream['name']} {{ server {address}; keepalive {upstream['keepalive']}; }}"


def _locations(route: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[str]:
    upstreams = {upstream["name"]: upstream for upstream in route["upstreams"]}
    for part in route["subroutes"]:
        proxy = part["action"]["proxy"]
        upstream = upstreams[proxy["upstream"]]
        yield f"location {part['path']} {{"
        yield f"proxy_pass http://{upstream['name']};"
        yield 'proxy_http_version 1.1; proxy_set_header Connection "";'
        yield f"proxy_connect_timeout {upstream['connect-timeout']};"
        yield f"proxy_read_timeout {upstream['read-timeout']}; proxy_send_timeout {upstream['send-timeout']};"
        yield f"proxy_next_upstream {upstream['next-upstream']};"
        yield f"client_max_body_size {upstream['client-max-body-size']};"
        for header in proxy["requestHeaders"]["set"]:
            value = header["value"].replace("{", "").replace("}", "")
            yield f'proxy_set_header {header["name"]} "{value}";'
        for policy in part.get("policies", ()):
            limit = limits[policy["name"]]["rateLimit"]
            delay = " nodelay" if limit["noDelay"] else ""
            yield f"limit_req zone={policy['name']} burst={limit['burst']}{delay};"
            yield f"limit_req_status {limit['rejectCode']}; limit_req_log_level {limit['logLevel']};"
        pages = part.get("errorPages", ())
        for page in pages:
            codes = page["codes"]
            yield f"error_page {' '.join(map(str, codes))} @{upstream['name']}-{codes[0]};"
        if pages:
            yield "proxy_intercept_errors on;"
        yield "}"
        for page in pages:
            first, answer = page["codes"][0], page["return"]
            yield f"location @{upstream['name']}-{first} {{ default_type {answer['type']};"
            # Like the controller: a page without a code of its own is sent with the one that it stands for.
            yield f'return 0 "{answer["body"]}"; }}'


class Nginx:
    """A running NGINX, as an unprivileged user.

    Args:
        folder: Its folder, with its certificate; given to that user.
        text: Its configuration.
        port: The port that it names.
    """

    def __init__(self, folder: Path, *, text: str, port: int) -> None:
        path = folder / "nginx.conf"
        path.write_text(text)
        user = unprivileged()
        if user is not None:
            for one in (folder, *folder.iterdir()):
                os.chown(one, user, -1)
        self._port = port
        as_user = [] if user is None else ["setpriv", f"--reuid={user}", "--clear-groups"]
        nginx = program("nginx", package="nginx")
        self.command = [*as_user, nginx, "-p", str(folder), "-c", str(path), "-e", str(folder / "error.log")]
        self._folder = folder
        self._process: Child | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = Child("nginx", command=self.command, logs=self._folder)
        until(self._listens, what="NGINX's start", seconds=_SECONDS_TO_REACH)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.stop()

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.exit_code is not None:
            raise RuntimeError(f"NGINX ended:\n{self._process.last_words()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
