"""The engine's protocol, without the SDK around it.

Importing `pulumi.runtime.proto` imports the whole SDK, which takes longer than all else a language host does at its
start. A host never uses the SDK (its programs do, in processes of their own), so empty packages stand in for it.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto import language_pb2, plugin_pb2
else:
    _spec = importlib.util.find_spec("pulumi")
    for _folder in _spec.submodule_search_locations or () if _spec else ():
        for _name, _path in (("pulumi", Path(_folder)), ("pulumi.runtime", Path(_folder, "runtime"))):
            _package = types.ModuleType(_name)
            _package.__path__ = [str(_path)]
            sys.modules[_name] = _package
    language_pb2 = importlib.import_module("pulumi.runtime.proto.language_pb2")
    plugin_pb2 = importlib.import_module("pulumi.runtime.proto.plugin_pb2")

__all__ = ["language_pb2", "plugin_pb2"]
