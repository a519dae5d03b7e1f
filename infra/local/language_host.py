"""The Python language host of an engine that has none: a LanguageRuntime service over gRPC.

An official engine comes with its own host, which is used then. One that was built from source does not, and starts
this. It runs the program as the official host does: a Python process, whose output and exit code tell how it went.
"""

import importlib.metadata
import importlib.util
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.local import plugins


def _protocol_only() -> None:
    """Make `pulumi.runtime.proto` importable without the SDK around it, which takes twice as long."""
    spec = importlib.util.find_spec("pulumi")
    for folder in spec.submodule_search_locations or () if spec else ():
        for name, path in (("pulumi", folder), ("pulumi.runtime", str(Path(folder, "runtime")))):
            package = types.ModuleType(name)
            package.__path__ = [path]
            sys.modules[name] = package


_protocol_only()

import grpc  # noqa: E402
from google.protobuf import empty_pb2  # noqa: E402
from pulumi.runtime.proto import language_pb2 as pb  # noqa: E402
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2  # noqa: E402

FAILED_AND_TOLD = 32
_PROGRAM = Path(__file__).with_name("language_program.py")
_MESSAGE_BYTES = 400 * 1024 * 1024
_STOP_SECONDS = 5
_PARENT_SECONDS = 0.5


class _Call(Protocol):
    """What is used of a gRPC call's context."""

    def add_callback(self, callback: Callable[[], None]) -> bool: ...


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine; methods keep the protocol's names."""

    def __init__(self, *, engine_address: str) -> None:
        self._engine_address = engine_address
        self._processes: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End every process that was started for the engine."""
        for process in list(self._processes):
            _interrupt(process)
        for process in list(self._processes):
            _end(process)

    def Handshake(self, request: pb.LanguageHandshakeRequest, context: _Call) -> pb.LanguageHandshakeResponse:  # noqa: ARG002, N802
        """Learn the engine's address, when the engine attaches instead of starting this."""
        self._engine_address = request.engine_address
        return pb.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: _Call) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """Say which version this is: the engine's."""
        return plugin_pb2.PluginInfo(version=os.environ.get("PULUMI_LOCAL_ENGINE_VERSION", ""))

    def GetRequiredPackages(  # noqa: N802
        self,
        request: pb.GetRequiredPackagesRequest,  # noqa: ARG002
        context: _Call,  # noqa: ARG002
    ) -> pb.GetRequiredPackagesResponse:
        """List the plugins of the installed SDKs, as the official host does."""
        return pb.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(
                    name=plugin.name, kind="resource", version=f"v{plugin.version}", server=plugin.server
                )
                for plugin in plugins.installed()
            ]
        )

    def GetRequiredPlugins(self, request: pb.GetRequiredPluginsRequest, context: _Call) -> pb.GetRequiredPluginsResponse:  # noqa: ARG002, N802, E501
        """The older form of the same question; engines that ask it get no list and load plugins on demand."""
        return pb.GetRequiredPluginsResponse()

    def InstallDependencies(  # noqa: N802
        self,
        request: pb.InstallDependenciesRequest,  # noqa: ARG002
        context: _Call,  # noqa: ARG002
    ) -> Iterator[pb.InstallDependenciesResponse]:
        """Say who installs: dependencies are pinned with hashes, which `pulumi install` would pass over."""
        yield pb.InstallDependenciesResponse(stdout=b"bin/setup installs the dependencies of this project\n")

    def RuntimeOptionsPrompts(self, request: pb.RuntimeOptionsRequest, context: _Call) -> pb.RuntimeOptionsResponse:  # noqa: ARG002, N802
        """Ask nothing."""
        return pb.RuntimeOptionsResponse()

    def Template(self, request: pb.TemplateRequest, context: _Call) -> pb.TemplateResponse:  # noqa: ARG002, N802
        """Change nothing in a new project."""
        return pb.TemplateResponse()

    def About(self, request: pb.AboutRequest, context: _Call) -> pb.AboutResponse:  # noqa: ARG002, N802
        """Name the Python that runs the program."""
        version = ".".join(str(part) for part in sys.version_info[:3])
        return pb.AboutResponse(executable=sys.executable, version=version)

    def GetProgramDependencies(  # noqa: N802
        self,
        request: pb.GetProgramDependenciesRequest,  # noqa: ARG002
        context: _Call,  # noqa: ARG002
    ) -> pb.GetProgramDependenciesResponse:
        """List what is installed beside the program."""
        found = {found.name: found.version for found in importlib.metadata.distributions()}
        dependencies = [pb.DependencyInfo(name=name, version=found[name]) for name in sorted(found)]
        return pb.GetProgramDependenciesResponse(dependencies=dependencies)

    def Cancel(self, request: empty_pb2.Empty, context: _Call) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Interrupt what runs, since the engine is about to stop."""
        for process in list(self._processes):
            _interrupt(process)
        return empty_pb2.Empty()

    def Run(self, request: pb.RunRequest, context: _Call) -> pb.RunResponse:  # noqa: N802
        """Run the program to its end."""
        if request.attach_debugger:
            return pb.RunResponse(error="this language host cannot attach a debugger; run without --attach-debugger")
        env = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        # Standard output goes on to the engine, which shows it as the program's.
        with self._started(self._program_command(request), env=env, cwd=None, output=None, call=context) as process:
            code = process.wait()
        if code == FAILED_AND_TOLD:
            return pb.RunResponse(bail=True)
        return pb.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(self, request: pb.RunPluginRequest, context: _Call) -> Iterator[pb.RunPluginResponse]:  # noqa: N802
        """Run a plugin written in Python, such as a policy pack, and stream what it prints."""
        folder = request.info.program_directory
        if request.kind == "analyzer":
            command, cwd = ["-u", "-m", "pulumi.policy", *request.args, folder], folder
        else:
            command, cwd = ["-u", folder, *request.args], request.pwd or folder
        env = os.environ | dict(entry.partition("=")[::2] for entry in request.env)
        command = [sys.executable, *command]
        with self._started(command, env=env, cwd=cwd, output=subprocess.PIPE, call=context) as process:
            yield from _output(process)
            yield pb.RunPluginResponse(exitcode=process.wait())

    def _program_command(self, request: pb.RunRequest) -> list[str]:
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
        switches = ["--dry-run"] if request.dryRun else []
        return [sys.executable, "-u", "-P", str(_PROGRAM), *given, *switches, request.info.entry_point, *request.args]

    @contextmanager
    def _started(
        self, command: list[str], *, env: dict[str, str], cwd: str | None, output: int | None, call: _Call
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process for the length of a call; a cancelled call ends it."""
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._processes.add(process)
        try:
            call.add_callback(lambda: _interrupt(process))
            yield process
        finally:
            _end(process)
            self._processes.discard(process)


def _output(process: subprocess.Popen[bytes]) -> Iterator[pb.RunPluginResponse]:
    """What a process prints, line by line, until it has closed both streams."""
    lines: queue.SimpleQueue[pb.RunPluginResponse | None] = queue.SimpleQueue()

    def read(stream: IO[bytes], answer: Callable[[bytes], pb.RunPluginResponse]) -> None:
        for line in iter(stream.readline, b""):
            lines.put(answer(line))
        lines.put(None)

    streams: list[tuple[IO[bytes] | None, Callable[[bytes], pb.RunPluginResponse]]] = [
        (process.stdout, lambda line: pb.RunPluginResponse(stdout=line)),
        (process.stderr, lambda line: pb.RunPluginResponse(stderr=line)),
    ]
    open_streams = 0
    for stream, answer in streams:
        if stream is not None:
            threading.Thread(target=read, args=(stream, answer), daemon=True).start()
            open_streams += 1
    while open_streams:
        line = lines.get()
        if line is None:
            open_streams -= 1
        else:
            yield line


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


def serve(*, engine_address: str) -> None:
    """Serve until a signal or until the engine is gone."""
    host = LanguageHost(engine_address=engine_address)
    limits = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # A signal is written to a pipe: a handler that took a lock could wait for the thread it interrupted.
    signalled, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: None)
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
