"""Serves the components over the SDK's own component protocol."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO, cast

import grpc
import grpc.aio
import pulumi

from infra.local.providers import sdk, wire
from infra.local.providers.check import check_inputs
from infra.local.providers.eks.addons import Addon, VpcCniAddon
from infra.local.providers.eks.arguments import Inputs, Refusal
from infra.local.providers.eks.cluster import Cluster
from infra.local.providers.eks.kubeconfig import kubeconfig
from infra.local.providers.eks.security import NodeGroupSecurityGroup

_provider: Any = importlib.import_module("pulumi.provider")
_server: Any = importlib.import_module("pulumi.provider.server")
VERSION: Final = "4.4.0"
_Component = Cluster | Addon | VpcCniAddon | NodeGroupSecurityGroup
_MAKERS: Final[Mapping[str, Callable[[str, Inputs, pulumi.ResourceOptions | None], _Component]]] = {
    "eks:index:Cluster": Cluster,
    "eks:index:Addon": Addon,
    "eks:index:VpcCniAddon": VpcCniAddon,
    "eks:index:NodeGroupSecurityGroup": NodeGroupSecurityGroup,
}


class Components(_provider.Provider):
    """The components this process can construct."""

    version = VERSION
    schema = None

    def __init__(self) -> None:
        """Need nothing: version and schema are the class's."""

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: pulumi.ResourceOptions | None = None
    ) -> object:
        """Construct a component."""
        component = _MAKERS[resource_type](name, inputs, options)
        return _provider.ConstructResult(urn=component.urn, state=component.state())

    def call(self, token: str, args: Inputs) -> object:
        """Call a method of a component."""
        if token != "eks:index:Cluster/getKubeconfig":  # noqa: S105 - a function's name
            raise Refusal("", f"the local platform has no stand-in for method {token}")
        credentials = {key: args[key] for key in ("profileName", "roleArn") if args.get(key)}
        config = kubeconfig(args["__self__"].eks_cluster, credentials, with_profile=True)
        return _provider.CallResult(outputs={"result": pulumi.Output.json_dumps(config)})


def refusals(request: Any) -> list[tuple[str, str]]:
    """Check a component's inputs against the SDK, as every other resource's are."""
    schema = sdk.schema(request.type)
    if schema is None:
        return [("", "pulumi-eks has no such type")]
    if request.type not in _MAKERS:
        known = ", ".join(_MAKERS)
        return [("", f"the local platform has no stand-in for this component; it has {known}")]
    found = check_inputs(schema.inputs, wire.decode(request.inputs))
    return [(failure.path, failure.reason) for failure in found]


class Servicer(_server.ProviderServicer):
    """The SDK's servicer with what it leaves out: configuration, attaching, checks."""

    async def Construct(self, request: Any, context: Any) -> object:  # noqa: N802
        """Check the inputs, then construct."""
        refused = refusals(request)
        if not refused:
            try:
                return await self._construct(request, context)
            except Refusal as problem:
                refused = [(problem.path, problem.reason)]
        errors = [{"property_path": path, "reason": reason} for path, reason in refused if path]
        loose = "; ".join(reason for path, reason in refused if not path) or "its inputs are refused"
        message = f'stack {request.stack}, {request.type} "{request.name}": {loose}'
        await context.abort_with_status(self.create_grpc_invalid_properties_status(message, errors))
        raise AssertionError

    async def CheckConfig(self, request: Any, context: Any) -> object:  # noqa: N802
        """Take any configuration."""
        del context
        return wire.provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> object:  # noqa: N802
        """Replace nothing for a changed configuration."""
        del request, context
        return wire.provider_pb2.DiffResponse(changes=wire.provider_pb2.DiffResponse.DIFF_NONE)

    async def Attach(self, request: Any, context: Any) -> object:  # noqa: N802
        """Learn the engine's address."""
        del context
        self.engine_address = request.address
        return wire.empty()

    async def Cancel(self, request: object, context: object) -> object:  # noqa: N802
        """Stop nothing: a component's children are the engine's to cancel."""
        del request, context
        return wire.empty()

    async def GetMapping(self, request: object, context: object) -> object:  # noqa: N802
        """Offer no conversion from other tools."""
        del request, context
        return wire.provider_pb2.GetMappingResponse()


def _watch(source: TextIO, ended: Callable[[], None]) -> None:
    """Call back when standard input ends: the process that started this one is gone."""
    while source.read(4096):
        pass
    ended()


async def _serve() -> None:
    options = cast("list[tuple[str, Any]]", [("grpc.max_receive_message_length", 400 * 1024 * 1024)])
    server = grpc.aio.server(options=options)
    servicer = Servicer(Components(), args=[], engine_address="")
    wire.provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    watch = threading.Thread(
        target=_watch, args=(sys.stdin, lambda: loop.call_soon_threadsafe(ended.set)), daemon=True
    )
    watch.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await ended.wait()
    await server.stop(grace=None)


def main() -> None:
    """Serve until told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for package in ("aws", "kubernetes", "eks"):
        sdk.load_package(package)
    asyncio.run(_serve())
