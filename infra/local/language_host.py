"""The Python language host of an engine that has none: a LanguageRuntime service over gRPC.

An official engine comes with its own host, which is used then. One that was built from source does not, and starts
this. It runs the program as the official host does: a Python process, whose output and exit code tell how it went.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import grpc
from google.protobuf import empty_pb2

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.local import plugins
from infra.local.output import lines_of
from infra.local.protocol import language_pb2 as pb
from infra.local.protocol import plugin_pb2

SERVICE = "pulumirpc.LanguageRuntime"
FAILED_AND_TOLD = 32

_PROGRAM = Path(__file__).with_name("language_program.py")
_MESSAGE_BYTES = 400 * 1024 * 1024
_STOP_SECONDS = 5
_PARENT_SECONDS = 0.5


class _Call(Protocol):
    """What is used of a gRPC call's context."""

    def add_callback(self, callback: Callable[[], None]) -> bool: ...


class LanguageHost:
    """Answers the engine. What is not answered here, the engine is told is not implemented."""

    def __init__(self, *, engine_address: str) -> None:
        self._engine_address = engine_address
        self._processes: set[subprocess.Popen[bytes]] = set()

    def handlers(self) -> grpc.GenericRpcHandler:
        """The methods of the service, by the protocol's names."""
        single: list[tuple[str, Callable[..., Any], type[Any]]] = [
            ("Handshake", self.handshake, pb.LanguageHandshakeRequest),
            ("GetPluginInfo", self.get_plugin_info, empty_pb2.Empty),
            ("GetRequiredPackages", self.get_required_packages, pb.GetRequiredPackagesRequest),
            ("RuntimeOptionsPrompts", self.runtime_options_prompts, pb.RuntimeOptionsRequest),
            ("Template", self.template, pb.TemplateRequest),
            ("About", self.about, pb.AboutRequest),
            ("GetProgramDependencies", self.get_program_dependencies, pb.GetProgramDependenciesRequest),
            ("Cancel", self.cancel, empty_pb2.Empty),
            ("Run", self.run, pb.RunRequest),
        ]
        streams: list[tuple[str, Callable[..., Any], type[Any]]] = [
            ("InstallDependencies", self.install_dependencies, pb.InstallDependenciesRequest),
            ("RunPlugin", self.run_plugin, pb.RunPluginRequest),
        ]
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        methods = {name: _handler(unary, method, request) for name, method, request in single}
        methods |= {name: _handler(stream, method, request) for name, method, request in streams}
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def stop(self) -> None:
        """End every process that was started for the engine."""
        for process in list(self._processes):
            _interrupt(process)
        for process in list(self._processes):
            _end(process)

    def handshake(self, request: pb.LanguageHandshakeRequest, _call: _Call) -> pb.LanguageHandshakeResponse:
        """Learn the engine's address, when the engine attaches instead of starting this."""
        self._engine_address = request.engine_address
        return pb.LanguageHandshakeResponse()

    def get_plugin_info(self, _request: object, _call: _Call) -> plugin_pb2.PluginInfo:
        """Say which version this is: the engine's."""
        return plugin_pb2.PluginInfo(version=os.environ.get("PULUMI_LOCAL_ENGINE_VERSION", ""))

    def get_required_packages(self, _request: object, _call: _Call) -> pb.GetRequiredPackagesResponse:
        """List the plugins of the installed SDKs, as the official host does."""
        packages = [
            plugin_pb2.PackageDependency(
                name=plugin.name, kind="resource", version=f"v{plugin.version}", server=plugin.server
            )
            for plugin in plugins.installed()
        ]
        return pb.GetRequiredPackagesResponse(packages=packages)

    def install_dependencies(
        self, _request: object, _call: _Call
    ) -> Iterator[pb.InstallDependenciesResponse]:
        """Say who installs: dependencies are pinned with hashes, which `pulumi install` would pass over."""
        yield pb.InstallDependenciesResponse(stdout=b"bin/setup installs the dependencies of this project\n")

    def runtime_options_prompts(self, _request: object, _call: _Call) -> pb.RuntimeOptionsResponse:
        """Ask nothing."""
        return pb.RuntimeOptionsResponse()

    def template(self, _request: object, _call: _Call) -> pb.TemplateResponse:
        """Change nothing in a new project."""
        return pb.TemplateResponse()

    def about(self, _request: object, _call: _Call) -> pb.AboutResponse:
        """Name the Python that runs the program."""
        version = ".".join(str(part) for part in sys.version_info[:3])
        return pb.AboutResponse(executable=sys.executable, version=version)

    def get_program_dependencies(self, _request: object, _call: _Call) -> pb.GetProgramDependenciesResponse:
        """List what is installed beside the program."""
        found = {found.name: found.version for found in importlib.metadata.distributions()}
        dependencies = [pb.DependencyInfo(name=name, version=found[name]) for name in sorted(found)]
        return pb.GetProgramDependenciesResponse(dependencies=dependencies)

    def cancel(self, _request: object, _call: _Call) -> empty_pb2.Empty:
        """Interrupt what runs, since the engine is about to stop."""
        for process in list(self._processes):
            _interrupt(process)
        return empty_pb2.Empty()

    def run(self, request: pb.RunRequest, call: _Call) -> pb.RunResponse:
        """Run the program to its end."""
        if request.attach_debugger:
            return pb.RunResponse(error="this language host cannot attach a debugger; drop --attach-debugger")
        env = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        # Standard output goes on to the engine, which shows it as the program's.
        with self._started(self._program(request), env=env, cwd=None, output=None, call=call) as process:
            code = process.wait()
        if code in {FAILED_AND_TOLD, -signal.SIGINT}:
            # There is nothing to add: the error has been shown, or the engine itself ended the program.
            return pb.RunResponse(bail=True)
        return pb.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def run_plugin(self, request: pb.RunPluginRequest, call: _Call) -> Iterator[pb.RunPluginResponse]:
        """Run a plugin written in Python, such as a policy pack, and stream what it prints."""
        folder = request.info.program_directory
        if request.kind == "analyzer":
            command, cwd = ["-u", "-m", "pulumi.policy", *request.args, folder], folder
        else:
            command, cwd = ["-u", folder, *request.args], request.pwd or folder
        env = dict(os.environ)
        for entry in request.env:
            name, _, value = entry.partition("=")
            env[name] = value
        command = [sys.executable, *command]
        with self._started(command, env=env, cwd=cwd, output=subprocess.PIPE, call=call) as process:
            for stream, line in lines_of(process):
                is_error = stream == "stderr"
                yield pb.RunPluginResponse(stderr=line) if is_error else pb.RunPluginResponse(stdout=line)
            yield pb.RunPluginResponse(exitcode=process.wait())

    def _program(self, request: pb.RunRequest) -> list[str]:
        """The command that runs the program."""
        options = {
            "--monitor": request.monitor_address,
            "--engine": self._engine_address,
            "--project": request.project,
            "--root-directory": request.info.root_directory,
            "--stack": request.stack,
            "--organization": request.organization or "organization",
            "--pwd": request.pwd,
            "--parallel": str(request.parallel),
        }
        given = [part for name, value in options.items() for part in (name, value) if value]
        if request.dryRun:
            given.append("--dry-run")
        entry = [request.info.entry_point, *request.args]
        return [sys.executable, "-u", "-P", str(_PROGRAM), *given, *entry]

    @contextmanager
    def _started(
        self, command: list[str], *, env: dict[str, str], cwd: str | None, output: int | None, call: _Call
    ) -> Generator[subprocess.Popen[bytes]]:
        """Run a process for the length of a call; a cancelled call ends it."""
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        self._processes.add(process)
        try:
            call.add_callback(lambda: _interrupt(process))
            yield process
        finally:
            _end(process)
            self._processes.discard(process)


def _handler(
    make: Callable[..., grpc.RpcMethodHandler[Any, Any]], method: Callable[..., Any], request: type[Any]
) -> grpc.RpcMethodHandler[Any, Any]:
    def serialise(response: Any) -> bytes:
        return response.SerializeToString()

    return make(method, request_deserializer=request.FromString, response_serializer=serialise)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that should stop, and make it."""
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _noted(_signum: int, _frame: FrameType | None) -> None:
    """Do nothing: the signal has been written to the wake-up pipe."""


def serve(*, engine_address: str) -> None:
    """Serve until a signal or until the engine is gone."""
    host = LanguageHost(engine_address=engine_address)
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=options)
    server.add_generic_rpc_handlers((host.handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # A signal is written to a pipe: a handler that took a lock could wait for the thread it interrupted.
    signalled, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _noted)
    engine = os.getppid()
    print(port, flush=True)
    while os.getppid() == engine and not select.select([signalled], [], [], _PARENT_SECONDS)[0]:
        pass
    host.stop()
    server.stop(grace=None)
    # Threads of calls that the engine no longer waits for must not keep this alive.
    os._exit(0)


if __name__ == "__main__":
    serve(engine_address=sys.argv[-1] if len(sys.argv) > 1 else "")
