"""A provider for tests of the command line: it creates slowly, and remembers what it created by URN.

Serves the package `random`, so that the engine asks nobody else, and prints its port as the stand-ins do.
"""

import argparse
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


class SlowProvider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cancelled = threading.Event()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return plugin_pb2.PluginInfo(version="4.21.4")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        # The engine cancels at the end of every phase, also of one that went well.
        self.cancelled.clear()
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        changed = request.news != request.oldInputs
        response = provider_pb2.DiffResponse
        return response(changes=response.DIFF_SOME if changed else response.DIFF_NONE)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not request.preview:
            deadline = time.monotonic() + float(request.properties["seconds"])
            (self.folder / "creating").touch()
            while time.monotonic() < deadline:
                if self.cancelled.wait(0.02):
                    context.abort(grpc.StatusCode.ABORTED, "cancelled")
            record = self.folder / f"{request.urn.rpartition('::')[2]}.json"
            record.write_text(json.dumps({"urn": request.urn}))
        name = request.urn.rpartition("::")[2]
        return provider_pb2.CreateResponse(id="" if request.preview else name, properties=request.properties)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        (self.folder / f"{request.id}.json").unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        self.cancelled.set()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return empty_pb2.Empty()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--parent-pid", type=int)
    folder = parser.parse_args().state_dir
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(SlowProvider(folder), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"random": port}), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
