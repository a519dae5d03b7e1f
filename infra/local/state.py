"""The engine's state files: is the stack there, can its state be read, did a killed run leave work half done."""

import gzip
import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from infra.local.errors import LocalError, say
from infra.local.files import write_atomically
from infra.local.home import Home

_Json = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of one stack in the file backend."""

    home: Home
    project: str
    stack: str

    @property
    def path(self) -> Path:
        """The state file; the engine may have compressed it."""
        plain = self.home.backend / ".pulumi" / "stacks" / self.project / f"{self.stack}.json"
        compressed = plain.with_name(f"{plain.name}.gz")
        return compressed if compressed.exists() and not plain.exists() else plain

    @property
    def exists(self) -> bool:
        """Whether the stack has been initialised here."""
        return self.path.is_file()

    def salt(self) -> str | None:
        """The salt with which the secrets in this state are encrypted."""
        try:
            provider = _dict(_latest(_load(self.path)).get("secrets_providers"))
        except (OSError, ValueError):
            return None
        salt = _dict(provider.get("state")).get("salt")
        return salt if isinstance(salt, str) else None

    def protected(self) -> int:
        """How many resources of the stack are protected against deletion."""
        try:
            resources = _list(_latest(_load(self.path)).get("resources"))
        except (OSError, ValueError):
            return 0
        return sum(_dict(resource).get("protect") is True for resource in resources)

    def holds_any(self, types: Container[str]) -> bool:
        """Whether the stack has a resource of one of these types."""
        try:
            resources = _list(_latest(_load(self.path)).get("resources"))
        except (OSError, ValueError):
            return False
        return any(str(_dict(resource).get("type")) in types for resource in resources)

    def check(self) -> None:
        """Refuse a state file that is not whole, and say how to restore it."""
        try:
            _load(self.path)
        except OSError as error:
            raise self.home.unusable(self.path, error) from error
        except ValueError as error:
            raise self._corrupt(error) from error

    def recover(self) -> None:
        """Drop the operations that a killed run left unfinished; the coming run does them again.

        The stand-ins record a resource by its URN, so creating it twice makes it once. The real engine leaves such
        operations for a person to judge, since a cloud may hold the orphan.
        """
        document = _load(self.path)
        latest = _latest(document)
        pending = [_dict(operation) for operation in _list(latest.get("pending_operations"))]
        if not pending:
            return
        del latest["pending_operations"]
        write_atomically(self.path, json.dumps(document, separators=(",", ":"), ensure_ascii=False))
        names = ", ".join(sorted(_describe(operation) for operation in pending))
        say(f"a killed run left stack '{self.stack}' with {len(pending)} unfinished operation(s): {names}")
        say("cleared them; what they were to do is done by the next `up` or `destroy`")

    def _corrupt(self, error: ValueError) -> LocalError:
        backup = self._newest_whole_backup()
        to_do = (
            f"restore the newest whole copy, then refresh:\n    cp '{backup}' '{self.path}'\n"
            f"    bin/pulumi-local refresh --stack {self.stack}"
            if backup
            else f"there is no whole copy to restore; start the stack anew:\n    rm '{self.path}'\n"
            f"    bin/pulumi-local up --stack {self.stack}"
        )
        return LocalError(
            f"the state of stack '{self.stack}' is damaged; nothing was changed.\n  found: {self.path}: {error}\n"
            f"  needed: the JSON document that the engine wrote\n  to do: {to_do}",
        )

    def _newest_whole_backup(self) -> Path | None:
        """The newest copy that can be read: the engine keeps one per write, per update and per removal."""
        store = self.home.backend / ".pulumi"
        copies = [self.path.with_name(f"{self.path.name}.bak")]
        for folder in ("backups", "history"):
            place = store / folder / self.project / self.stack
            copies += [path for path in place.glob("*.json*") if ".history." not in path.name]
        whole = [path for path in copies if path.suffix != ".attrs" and _is_whole(path)]
        return max(whole, key=lambda path: path.stat().st_mtime_ns, default=None)


def existing_stacks(*, home: Home, project: str) -> list[str]:
    """The stacks that have been initialised here."""
    folder = home.backend / ".pulumi" / "stacks" / project
    names = {
        path.name.partition(".json")[0] for path in folder.glob("*.json*") if path.suffix in {".json", ".gz"}
    }
    return sorted(names)


def selected_stack(home: Home) -> str | None:
    """The stack chosen by `stack select`, read as the engine reads it."""
    for path in (home.pulumi_home / "workspaces").glob("*-workspace.json"):
        try:
            settings = _dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
        stacks = [name for name in _dict(settings.get("stacks")).values() if isinstance(name, str)]
        legacy = settings.get("stack")
        for name in (*stacks, legacy):
            if isinstance(name, str) and name:
                return name.rpartition("/")[2]
    return None


def mend(home: Home) -> None:
    """Remove small files that a crash left unreadable and that the engine makes anew."""
    workspaces = home.pulumi_home / "workspaces"
    candidates = [*workspaces.glob("*-workspace.json"), home.pulumi_home / "credentials.json"]
    for path in candidates:
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise home.unusable(path, error) from error
        except ValueError:
            path.unlink()
            say(f"removed {path}, which was damaged; a stack that was selected has to be selected again")
    for path in _unreadable_attributes(home.backend / ".pulumi"):
        path.unlink(missing_ok=True)
        say(f"removed {path}, which a killed run left half written; what it belongs to is whole")
    meta = home.backend / ".pulumi" / "meta.yaml"
    if meta.is_file() and "version:" not in meta.read_text(encoding="utf-8", errors="replace"):
        write_atomically(meta, "version: 1\n")
        say(f"wrote {meta} anew, which was damaged")


def _unreadable_attributes(store: Path) -> Iterator[Path]:
    """Files that the backend writes in place beside its own, and without which it does, that are not whole.

    A run killed while it writes one leaves it empty, and the engine then says "EOF" of a state that is whole.
    """
    for path in (
        store / "meta.yaml.attrs",
        *store.glob("stacks/**/*.attrs"),
        *store.glob("locks/**/*.attrs"),
    ):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            continue
        except ValueError:
            yield path


def _load(path: Path) -> _Json:
    """Read a state file.

    Raises:
        ValueError: it is not the document that the engine writes.
    """
    raw = path.read_bytes()
    if not raw.strip(b"\0 \n"):
        raise ValueError("the file is empty")
    try:
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except (EOFError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"not a whole text file ({error})") from error
    document: object = json.loads(text)
    if not _dict(_dict(document).get("checkpoint")):
        raise ValueError("not a Pulumi checkpoint")
    return _dict(document)


def _is_whole(path: Path) -> bool:
    try:
        _load(path)
    except (OSError, ValueError):
        return False
    return True


def _latest(document: _Json) -> _Json:
    return _dict(_dict(document.get("checkpoint")).get("latest"))


def _dict(value: object) -> _Json:
    """The value if it is an object of JSON, else an empty one."""
    return cast("_Json", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _describe(operation: _Json) -> str:
    urn = str(_dict(operation.get("resource")).get("urn", "unknown"))
    return f"{operation.get('type', 'unknown')} {urn.rpartition('::')[2]}"
