"""A provider for tests of the command line: it creates slowly, and remembers what it created by URN.

Serves the package `random`, so that the engine asks nobody else, and prints its port as the stand-ins do.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2 as plugin
from pulumi.runtime.proto import provider_pb2 as pb


class SlowProvider:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cancelled = threading.Event()

    def methods(self) -> dict[str, tuple[Callable[[Any, Any], Any], Any]]:
        return {
            "GetPluginInfo": (lambda _request, _call: plugin.PluginInfo(version="4.21.4"), empty_pb2.Empty),
            "Attach": (lambda _request, _call: empty_pb2.Empty(), plugin.PluginAttach),
            "CheckConfig": (self.check, pb.CheckRequest),
            "DiffConfig": (self.diff, pb.DiffRequest),
            "Configure": (self.configure, pb.ConfigureRequest),
            "Check": (self.check, pb.CheckRequest),
            "Diff": (self.diff, pb.DiffRequest),
            "Create": (self.create, pb.CreateRequest),
            "Read": (self.read, pb.ReadRequest),
            "Delete": (self.delete, pb.DeleteRequest),
            "Cancel": (self.cancel, empty_pb2.Empty),
        }

    def check(self, request: Any, _call: Any) -> Any:
        return pb.CheckResponse(inputs=request.news)

    def diff(self, request: Any, _call: Any) -> Any:
        changed = request.news != request.old_inputs
        return pb.DiffResponse(changes=pb.DiffResponse.DIFF_SOME if changed else pb.DiffResponse.DIFF_NONE)

    def configure(self, _request: Any, _call: Any) -> Any:
        # The engine cancels at the end of every phase, also of one that went well.
        self.cancelled.clear()
        return pb.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def create(self, request: Any, call: Any) -> Any:
        name = request.urn.rpartition("::")[2]
        if request.preview:
            return pb.CreateResponse(properties=request.properties)
        deadline = time.monotonic() + float(request.properties["seconds"])
        (self.folder / "creating").touch()
        while time.monotonic() < deadline:
            if self.cancelled.wait(0.02):
                call.abort(grpc.StatusCode.ABORTED, "cancelled")
        (self.folder / f"{name}.json").write_text(json.dumps({"urn": request.urn}))
        return pb.CreateResponse(id=name, properties=request.properties)

    def read(self, request: Any, _call: Any) -> Any:
        return pb.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def delete(self, request: Any, _call: Any) -> Any:
        (self.folder / f"{request.id}.json").unlink(missing_ok=True)
        return empty_pb2.Empty()

    def cancel(self, _request: Any, _call: Any) -> Any:
        self.cancelled.set()
        return empty_pb2.Empty()


def handler(method: Callable[[Any, Any], Any], request: Any) -> Any:
    def serialise(response: Any) -> bytes:
        return response.SerializeToString()

    return grpc.unary_unary_rpc_method_handler(
        method, request_deserializer=request.FromString, response_serializer=serialise
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--parent-pid", type=int)
    provider = SlowProvider(parser.parse_args().state_dir)
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    methods = {name: handler(*described) for name, described in provider.methods().items()}
    service = grpc.method_handlers_generic_handler("pulumirpc.ResourceProvider", methods)
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"random": port}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
