"""Understanding a `pulumi` command line just enough: which command, which stack, which paths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROVIDER_COMMANDS = frozenset({"preview", "up", "refresh", "destroy", "import", "watch"})
"""Commands that call providers, so need the stand-ins."""

UPDATE_COMMANDS = PROVIDER_COMMANDS - {"preview"}
"""Commands that hold a stack for themselves while they run."""

PROJECT_COMMANDS = PROVIDER_COMMANDS | {"stack", "config", "state", "cancel", "logs", "console"}
"""Commands that belong to this project; all others run as they are, in the caller's folder."""

_ALIASES = {"update": "up", "pre": "preview", "down": "destroy", "dn": "destroy"}
_STACK_ALIASES = {"new": "init", "create": "init", "remove": "rm", "list": "ls", "delete": "rm"}
_CONFIG_ALIASES = {"remove": "rm", "remove-all": "rm-all", "copy": "cp"}

# Flags whose value is a path on the caller's side.
_PATH_FLAGS = frozenset(
    {
        "--file",
        "--save-plan",
        "--plan",
        "--policy-pack",
        "--policy-pack-config",
        "--config-file",
        "--import-file",
        "--event-log",
        "--out",
        "--generate-resources",
        "--profiling",
        "--path",
        "--tracing",
        "--otel-traces",
    }
)
_VALUE_FLAGS = _PATH_FLAGS | {
    "--stack",
    "--cwd",
    "--color",
    "--config",
    "--message",
    "--parallel",
    "--target",
    "--target-replace",
    "--replace",
    "--exclude",
    "--verbose",
    "--memprofilerate",
    "--secrets-provider",
    "--override-env",
    "--exec-kind",
    "--exec-agent",
    "--dest",
    "--copy-config-from",
    "--version",
    "--provider",
    "--parent",
    "--properties",
    "--property",
    "--from",
}
_SHORT = {"C": "--cwd", "s": "--stack", "c": "--config", "m": "--message", "p": "--parallel"} | {
    "t": "--target",
    "v": "--verbose",
}
_SHORT_BY_COMMAND = {
    "import": {"f": "--file", "o": "--out"},
    "config cp": {"d": "--dest"},
}
# `--path` names a file to watch; for `config` it is a switch without a value.
_SWITCHES_BY_COMMAND = {"config": frozenset({"--path"})}
_LISTS = frozenset({"--policy-pack", "--policy-pack-config"})
_URL_FLAGS = frozenset({"--tracing", "--otel-traces"})


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """A command line of `pulumi`, with every path made absolute."""

    args: tuple[str, ...]
    words: tuple[str, ...] = ()
    stack: str | None = None
    config_file: Path | None = None
    wants_help: bool = False
    prints_json: bool = False

    @property
    def command(self) -> str:
        """The first word, by its usual name: `update` is `up`."""
        return self.words[0] if self.words else ""

    @property
    def subcommand(self) -> str:
        """The second word, by its usual name: `stack new` is `init`."""
        return self.words[1] if len(self.words) > 1 else ""

    @property
    def in_project(self) -> bool:
        """Whether this command works on the project, so runs in its mirror."""
        return self.command in PROJECT_COMMANDS and not self.wants_help

    @property
    def uses_providers(self) -> bool:
        """Whether the stand-in providers have to run."""
        return self.command in PROVIDER_COMMANDS and not self.wants_help

    @property
    def holds_stack(self) -> bool:
        """Whether two of these at once on one stack would harm its state."""
        writes_state = self.command == "stack" and self.subcommand in {"import", "rm", "rename"}
        edits_state = self.command == "state" and self.subcommand not in {"", "get"}
        return not self.wants_help and (self.command in UPDATE_COMMANDS or writes_state or edits_state)


@dataclass(kw_only=True)
class _Token:
    """One flag or positional argument; `flag` is its long name when it takes a value."""

    raw: list[str]
    flag: str | None = None
    value: str = ""
    switches: list[str] = field(default_factory=list[str])


def parse(*, args: Sequence[str], cwd: Path) -> Invocation:
    """Read a command line given in `cwd`."""
    words = _words(_tokens(args, words=()))
    tokens = list(_tokens(args, words=words))
    words = _words(iter(tokens))
    wants_help = any(token.raw[0] in {"-h", "--help"} for token in tokens) or words[:1] == ("help",)
    if not words or words[0] not in PROJECT_COMMANDS or wants_help:
        return Invocation(args=tuple(args), words=words, wants_help=wants_help)
    base = cwd
    for token in tokens:
        if token.flag == "--cwd":
            base = base / token.value
    rendered: list[str] = []
    stack: str | None = None
    config_file: Path | None = None
    for token in tokens:
        if token.flag == "--stack":
            stack = token.value
        elif token.flag == "--config-file":
            config_file = _absolute(base, token.value)
            rendered += token.switches
            continue
        rendered += _render(token, base=base)
    if words[:2] == ("stack", "graph") and len(words) > 2:
        rendered = [str(_absolute(base, words[2])) if arg == words[2] else arg for arg in rendered]
    return Invocation(
        args=tuple(rendered),
        words=words,
        stack=_short_name(stack),
        config_file=config_file,
        prints_json=any(_asks_for_json(token) for token in tokens),
    )


def _asks_for_json(token: _Token) -> bool:
    """Whether this is `--json` or `-j`, alone or among other letters; `--json=false` is not."""
    if token.flag is None and token.raw[0] in {"--json", "--json=true", "--json=1"}:
        return True
    letters = token.switches if token.flag is not None else token.raw[:1]
    return any("j" in group[1:] for group in letters if not group.startswith("--") and group.startswith("-"))


def _words(tokens: Iterator[_Token]) -> tuple[str, ...]:
    """The positional arguments before `--`, the command's names normalised."""
    words: list[str] = []
    for token in tokens:
        if token.raw[0] == "--":
            break
        if token.flag is None and (not token.raw[0].startswith("-") or token.raw[0] == "-"):
            words.append(token.raw[0])
    if words:
        words[0] = _ALIASES.get(words[0], words[0])
    if len(words) > 1:
        words[1] = {"stack": _STACK_ALIASES, "config": _CONFIG_ALIASES}.get(words[0], {}).get(
            words[1], words[1]
        )
    return tuple(words)


def _tokens(args: Sequence[str], *, words: tuple[str, ...]) -> Iterator[_Token]:
    """Cut a command line as the engine's flag parser does."""
    rest = list(args)
    shorts = (
        _SHORT
        | _SHORT_BY_COMMAND.get(" ".join(words[:1]), {})
        | _SHORT_BY_COMMAND.get(" ".join(words[:2]), {})
    )
    switches = _SWITCHES_BY_COMMAND.get(words[0], frozenset[str]()) if words else frozenset[str]()
    while rest:
        head = rest.pop(0)
        if head == "--":
            yield _Token(raw=[head, *rest])
            return
        if head.startswith("--"):
            name, joined, value = head.partition("=")
            if name not in _VALUE_FLAGS or name in switches:
                yield _Token(raw=[head])
            elif joined:
                yield _Token(raw=[head], flag=name, value=value)
            else:
                tail = rest[:1]
                yield _Token(raw=[head, *tail], flag=name, value=tail[0] if tail else "")
                del rest[:1]
        elif head.startswith("-") and len(head) > 1:
            yield _short_token(head, rest=rest, shorts=shorts)
        else:
            yield _Token(raw=[head])


def _short_token(head: str, *, rest: list[str], shorts: dict[str, str]) -> _Token:
    """Read a cluster of one-letter flags; the first that takes a value takes the rest of the cluster."""
    for position, letter in enumerate(head[1:], start=1):
        if letter not in shorts:
            continue
        switches = [head[:position]] if position > 1 else []
        value = head[position + 1 :].removeprefix("=")
        if value:
            return _Token(raw=[head], flag=shorts[letter], value=value, switches=switches)
        tail = rest[:1]
        del rest[:1]
        return _Token(
            raw=[head, *tail], flag=shorts[letter], value=tail[0] if tail else "", switches=switches
        )
    return _Token(raw=[head])


def _render(token: _Token, *, base: Path) -> list[str]:
    """The token as the engine shall see it, from inside the mirrored project."""
    if token.flag == "--cwd":
        return token.switches
    if token.flag is None or token.flag not in _PATH_FLAGS or not token.value:
        return token.raw
    if token.flag in _URL_FLAGS:
        scheme, colon, path = token.value.partition(":")
        if scheme != "file" or path.startswith("//"):
            return token.raw
        return [*token.switches, f"{token.flag}={scheme}{colon}{_absolute(base, path)}"]
    parts = token.value.split(",") if token.flag in _LISTS else [token.value]
    paths = ",".join(str(_absolute(base, part)) for part in parts)
    return [*token.switches, f"{token.flag}={paths}"]


def _absolute(base: Path, path: str) -> Path:
    return base / path if path else base


def _short_name(stack: str | None) -> str | None:
    """`organization/project/prod` is `prod` to a file backend."""
    return stack.rpartition("/")[2] if stack else stack
