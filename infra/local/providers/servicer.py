"""The gRPC service the engine talks to; one for each provider, all alike but for their plug-in and backend."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import grpc

from infra.local.providers import faults, naming, wire
from infra.local.providers.backend import Backend
from infra.local.providers.check import Failure, owner
from infra.local.providers.diffing import Difference, difference
from infra.local.providers.plugin import Instance, Plugin, RefusedError, Resource, UnknownFunctionError
from infra.local.providers.store import StoreError
from infra.local.providers.values import Map, reveal, secret_texts
from infra.local.providers.vault import LockedError
from infra.redaction import Known

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG = logging.getLogger("providers")
P = ParamSpec("P")
R = TypeVar("R")
_base: type = cast("type", wire.provider_pb2_grpc.ResourceProviderServicer)


def _answering(method: Callable[P, R]) -> Callable[P, R]:
    """Turn what a plug-in raises into the answer the engine shows; nothing gets out as a traceback."""

    @functools.wraps(method)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        servicer, context = cast("Servicer", args[0]), cast("wire.Context", args[2])
        try:
            return method(*args, **kwargs)
        except (RefusedError, StoreError, LockedError) as problem:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, servicer.known.without(str(problem)))
        except UnknownFunctionError as problem:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"the local platform has no stand-in for function {problem}"
            )
        except Exception as problem:
            if not isinstance(problem, grpc.RpcError) and problem.args:
                LOG.exception("%s failed", method.__name__)
                what = f"{type(problem).__name__}: {problem}"
                reason = f"the stand-in failed ({what}); this is a fault of the local platform"
                context.abort(grpc.StatusCode.INTERNAL, servicer.known.without(reason))
            raise
        raise AssertionError

    return answer


class Servicer(_base):  # pyright: ignore[reportUntypedBaseClass]
    """Serves one provider.

    One server answers for every instance of the provider (each region, each cluster): the engine opens a connection
    an instance, and requests about resources do not say which, so configurations are kept by connection.
    """

    def __init__(self, plugin: Plugin, backend: Backend, rules: list[faults.Fault], known: Known) -> None:
        self.known = known
        self._plugin = plugin
        self._backend = backend
        self._faults = rules
        self._instances: dict[str, Instance] = {}
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    # Protocol

    def Handshake(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Agree on what both sides understand."""
        del request, context
        return wire.provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            accept_resources=False,
            accept_outputs=False,
            supports_autonaming_configuration=False,
        )

    def Attach(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Be attached to."""
        del request, context
        return wire.empty()

    def Cancel(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Stop long operations; there are none but the hanging ones."""
        del request, context
        self._cancelled.set()
        return wire.empty()

    def GetPluginInfo(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Say which version this stands in for."""
        del request, context
        return wire.plugin_pb2.PluginInfo(version=self._plugin.version)

    def GetSchema(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Give the least schema there is; the SDKs carry their own types."""
        del request, context
        schema = f'{{"name":"{self._plugin.package}","version":"{self._plugin.version}"}}'
        return wire.provider_pb2.GetSchemaResponse(schema=schema)

    def GetMapping(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Offer no conversion from other tools."""
        del request, context
        return wire.provider_pb2.GetMappingResponse()

    def GetMappings(self, request: object, context: wire.Context) -> object:  # noqa: N802
        """Offer no conversion from other tools."""
        del request, context
        return wire.provider_pb2.GetMappingsResponse()

    def Construct(self, request: Any, context: wire.Context) -> object:  # noqa: N802
        """Refuse components; those of eks have a service of their own."""
        reason = "the local platform has no stand-in for this component"
        subject = f'stack {request.stack}, {request.type} "{request.name}"'
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{subject}: {reason}")
        raise AssertionError

    def Call(self, request: Any, context: wire.Context) -> object:  # noqa: N802
        """Refuse methods of components."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED, f"the local platform has no stand-in for method {request.tok}"
        )
        raise AssertionError

    # Configuration

    @_answering
    def CheckConfig(self, request: wire.CheckRequest, context: wire.Context) -> object:  # noqa: N802
        """Check a provider's own inputs."""
        del context
        news = self._decode(request.news)
        resource = Resource(request.urn, news, Instance(news, request.urn))
        return self._checked(request.urn, news, self._plugin.check_config(resource))

    @_answering
    def DiffConfig(self, request: wire.DiffRequest, context: wire.Context) -> object:  # noqa: N802
        """Say whether a provider's resources outlive a change of its configuration."""
        del context
        return _difference(
            self._plugin.diff_config(self._decode(request.old_inputs), self._decode(request.news))
        )

    @_answering
    def Configure(self, request: wire.ConfigureRequest, context: wire.Context) -> object:  # noqa: N802
        """Take the configuration of the instance behind this connection."""
        # The engine cancels at the end of every phase, also of one that went well.
        self._cancelled.clear()
        with self._lock:
            self._instances[context.peer()] = Instance(self._decode(request.args), request.urn)
        return wire.provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False
        )

    def _resource(self, urn: str, inputs: Map, context: wire.Context) -> Resource:
        instance = self._instances.get(context.peer())
        if instance is None:
            raise RefusedError(f"this connection to the {self._plugin.package} provider was never configured")
        return Resource(urn, inputs, instance)

    # Resources

    @_answering
    def Check(self, request: wire.CheckRequest, context: wire.Context) -> object:  # noqa: N802
        """Check a resource's inputs and fill in its name."""
        olds, news = self._decode(request.olds), self._decode(request.news)
        resource = replace(self._resource(request.urn, news, context), exists=bool(olds))
        if olds:
            self._backend.note_known(request.urn)
        failures: list[Failure] = []
        rule = self._plugin.auto_name(resource.token)
        if rule is not None:
            failed = naming.apply(rule, inputs=news, olds=olds, urn=request.urn, seed=request.randomSeed)
            failures += [failed] if failed else []
        self._plugin.name(resource, olds, request.randomSeed)
        failures += self._plugin.check(resource)
        if not failures:
            self._plugin.normalise(resource.token, news)
        return self._checked(request.urn, news, failures)

    @_answering
    def Diff(self, request: wire.DiffRequest, context: wire.Context) -> object:  # noqa: N802
        """Say what changes and whether that replaces the resource."""
        resource = self._resource(request.urn, self._decode(request.news), context)
        self._backend.note_known(request.urn, request.id)
        olds = self._decode(request.old_inputs)
        found = self._plugin.diff(resource, olds, list(request.ignoreChanges), self._decode(request.olds))
        rule = self._plugin.auto_name(resource.token)
        if found.replaced and rule is not None and rule.property not in found.changed:
            # A name the program gave would be taken twice if the new resource came before the old one went.
            found.delete_before_replace |= not naming.was_automatic(resource.inputs, rule.property)
        return _difference(found)

    @_answering
    def Create(self, request: wire.CreateRequest, context: wire.Context) -> object:  # noqa: N802
        """Create a resource, or say what is known of it in a preview."""
        resource = self._resource(request.urn, self._decode(request.properties), context)
        if request.preview:
            outputs = self._plugin.conceal(resource.token, self._plugin.plan(resource, None))
            return wire.provider_pb2.CreateResponse(properties=self._encode(outputs))
        lose = self._inject("create", request.urn, context)
        identity, outputs = self._backend.create(resource)
        self._lose(lose)
        return wire.provider_pb2.CreateResponse(id=identity, properties=self._encode(outputs))

    @_answering
    def Read(self, request: wire.ReadRequest, context: wire.Context) -> object:  # noqa: N802
        """Read a resource back; what did not change is answered in the words of the state."""
        inputs, state = self._decode(request.inputs), self._decode(request.properties)
        resource = self._resource(request.urn, inputs, context)
        self._inject("read", request.urn, context)
        if inputs:
            self._backend.note_known(request.urn, request.id)
        live = self._backend.read(request.urn, request.id)
        if live is None:
            return wire.provider_pb2.ReadResponse()
        live_inputs, outputs = live
        rules = self._plugin.diff_rules(resource.token)
        if inputs and not difference(rules, inputs, live_inputs).changes:
            live_inputs = inputs
        if state and reveal(state) == reveal(outputs):
            outputs = state
        return wire.provider_pb2.ReadResponse(
            id=request.id, inputs=self._encode(live_inputs), properties=self._encode(outputs)
        )

    @_answering
    def Update(self, request: wire.UpdateRequest, context: wire.Context) -> object:  # noqa: N802
        """Change a resource, or say what is known of the outcome in a preview."""
        resource = self._resource(request.urn, self._decode(request.news), context)
        if request.preview:
            outputs = self._plugin.conceal(
                resource.token, self._plugin.plan(resource, self._decode(request.olds))
            )
        else:
            lose = self._inject("update", request.urn, context)
            outputs = self._backend.update(resource, request.id, list(request.ignoreChanges))
            self._lose(lose)
        return wire.provider_pb2.UpdateResponse(properties=self._encode(outputs))

    @_answering
    def Delete(self, request: wire.DeleteRequest, context: wire.Context) -> object:  # noqa: N802
        """Delete a resource."""
        lose = self._inject("delete", request.urn, context)
        self._backend.delete(request.urn, request.id)
        self._lose(lose)
        return wire.empty()

    @_answering
    def Invoke(self, request: wire.InvokeRequest, context: wire.Context) -> object:  # noqa: N802
        """Answer a function."""
        instance = self._resource("", {}, context).instance
        arguments = self._decode(request.args)
        failures = self._plugin.check_invoke(request.tok, arguments)
        if failures:
            return wire.provider_pb2.InvokeResponse(
                failures=[self._failure(f"function {request.tok}", failure) for failure in failures]
            )
        answer = self._plugin.invoke(request.tok, arguments, instance)
        return wire.provider_pb2.InvokeResponse(**cast("Any", {"return": self._encode(answer)}))

    def _decode(self, struct: Any) -> Map:
        """Read a property map, and remember what in it must not be logged."""
        properties = wire.decode(struct)
        self.known.learn_all(secret_texts(properties))
        return properties

    def _encode(self, properties: Map) -> object:
        """Write a property map, and remember what in it must not be logged."""
        self.known.learn_all(secret_texts(properties))
        return wire.encode(properties)

    def _failure(self, subject: str, failure: Failure) -> object:
        where = f" {failure.path}" if failure.path else ""
        reason = self.known.without(f"{subject}:{where} {failure.reason}")
        return wire.provider_pb2.CheckFailure(property=failure.path, reason=reason)

    def _checked(self, urn: str, inputs: Map, failures: list[Failure]) -> object:
        subject = owner(urn)
        return wire.provider_pb2.CheckResponse(
            inputs=wire.encode(inputs), failures=[self._failure(subject, failure) for failure in failures]
        )

    def _inject(self, operation: str, urn: str, context: wire.Context) -> bool:
        """Apply a fault; return whether the answer is to be lost after the operation."""
        action = faults.action_for(self._faults, operation, urn)
        if action == "fail":
            raise RefusedError(f"{operation} failed: injected by {faults.VARIABLE}")
        if action == "throttle":
            raise RefusedError(f"ThrottlingException: Rate exceeded (injected by {faults.VARIABLE})")
        if action == "hang":
            LOG.warning("hangs, as %s says: %s %s", faults.VARIABLE, operation, urn)
        while action == "hang" and context.is_active():
            if self._cancelled.wait(0.1):
                raise RefusedError(f"{operation} was cancelled")
        return action == "lose"

    @staticmethod
    def _lose(lose: bool) -> None:  # noqa: FBT001 - the answer of _inject
        if lose:
            raise RefusedError(f"the connection broke before the answer: injected by {faults.VARIABLE}")


def _difference(found: Difference) -> object:
    message: Any = wire.provider_pb2.DiffResponse
    detailed: Mapping[str, object] = {
        path: wire.provider_pb2.PropertyDiff(kind=int(change), inputDiff=True)
        for path, change in found.changes.items()
    }
    return message(
        changes=message.DIFF_SOME if found.changes else message.DIFF_NONE,
        replaces=found.replaced,
        diffs=found.changed,
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=found.delete_before_replace,
    )
