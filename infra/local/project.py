"""The mirrored project folder.

The engine writes an encryption salt into every stack file it meets. So it works in a mirror of the project: a copy
of Pulumi.yaml whose `main` is the real repository, and of each stack file with this machine's salt added. Only what
`config set` and its like change comes back, with the file's comments and blank lines kept.
"""

import difflib
import hashlib
import importlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra import stack_files
from infra.local.errors import LocalError
from infra.local.files import write_atomically
from infra.local.home import Home

_TOP_LEVEL = r"(?m)^{}:[ \t]*(.*?)[ \t]*(?:#.*)?$\n?"
_MAIN = re.compile(_TOP_LEVEL.format("main"))
_NAME = re.compile(r"(?m)^name:[ \t]*[\"']?([A-Za-z0-9_.-]+)")
_PROTECTION = re.compile(r"^ *([\w-]+:deletionProtection) *:", re.MULTILINE)
_SALT = re.compile(r"(?m)^encryptionsalt:[ \t]*[\"']?([^\s\"']+)[\"']?[ \t]*$\n?")
_CLOUD_SECRETS = re.compile(r"(?m)^(?:secretsprovider|encryptedkey):.*$\n?")
_SECURE = re.compile(r"(?m)^[\s-]*secure:")
_CONFIG = re.compile(r"(?m)^config:")
_CLOUD_KEY = re.compile(r"(?:--secrets-provider=)?((?:awskms|azurekeyvault|gcpkms|hashivault)://.*)")


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack's settings: the file of the repository and its mirror."""

    real: Path
    mirror: Path


def project_name(home: Home) -> str:
    """The project's name, which the file backend uses as a folder."""
    found = _NAME.search(_read_project(home))
    if found is None:
        raise LocalError(
            f"{home.project / 'Pulumi.yaml'} has no project name.\n"
            "  needed: a line such as `name: parking`\n  to do: restore the file",
        )
    return found[1]


def stack_names(home: Home) -> list[str]:
    """The stacks that have a file in the repository."""
    return stack_files.names(home.project)


def stack_file(*, home: Home, stack: str, config_file: Path | None = None) -> StackFile:
    """Where a stack's settings are, and where their mirror is; `--config-file` may name another file."""
    name = f"Pulumi.{stack}.yaml"
    if config_file is None:
        return StackFile(real=home.project / name, mirror=home.mirror / name)
    digest = hashlib.sha256(str(config_file).encode()).hexdigest()[:12]
    return StackFile(real=config_file, mirror=home.mirror / "config-files" / f"{digest}-{config_file.name}")


def prepare(home: Home) -> None:
    """Bring the mirror in line with the repository."""
    text = _MAIN.sub("", _read_project(home))
    found = _MAIN.search(_read_project(home))
    main = home.project / (found[1].strip("\"'") if found else ".")
    _write(home.mirror / "Pulumi.yaml", f"{text.rstrip()}\nmain: {json.dumps(str(main.resolve()))}\n")
    _link(home.mirror / ".venv", Path(sys.prefix))
    for name in stack_names(home):
        mirror_stack(stack_file(home=home, stack=name), salt=None)
    for mirror in home.mirror.glob("Pulumi.*.yaml"):
        if not (home.project / mirror.name).exists():
            # A stack without a file (new, or of another branch): keep only its salt.
            salt = salt_of(mirror)
            _write(mirror, f"encryptionsalt: {salt}\n" if salt else "")


def mirror_stack(file: StackFile, *, salt: str | None) -> None:
    """Copy a stack file, with the salt of this machine's state unless it has one of its own."""
    try:
        text = file.real.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise LocalError(
            f"a stack file cannot be read.\n  found: {file.real}: {reason}\n"
            "  needed: a readable YAML file\n  to do: correct the path or restore the file",
        ) from error
    text = _CLOUD_SECRETS.sub("", text)
    if _SALT.search(text) is None and (salt := salt or salt_of(file.mirror)):
        text = f"{text.rstrip()}\nencryptionsalt: {salt}\n".lstrip()
    file.mirror.parent.mkdir(parents=True, exist_ok=True)
    _write(file.mirror, text)


def refuse_cloud_secrets(file: StackFile) -> None:
    """Stop where a stack file has values that only a cloud key could decrypt."""
    if not file.real.is_file():
        return
    text = file.real.read_text(encoding="utf-8", errors="replace")
    if _SECURE.search(text) and _CLOUD_SECRETS.search(text) and not _SALT.search(text):
        raise LocalError(
            f"{file.real.name} has encrypted values that this machine cannot read.\n"
            "  found: values under `secure:` made with a cloud key (`secretsprovider`)\n"
            "  needed: values made with a passphrase, or none\n"
            "  to do: use another stack here, or a copy of the file with local values: --config-file FILE",
        )


def refuse_cloud_key(args: Sequence[str]) -> None:
    """Stop a command that would have a cloud's key encrypt a stack of this machine."""
    for found in filter(None, map(_CLOUD_KEY.fullmatch, args)):
        raise LocalError(
            "a cloud's key cannot encrypt a stack of this machine.\n"
            f"  found: {found[1]}\n  needed: no --secrets-provider; a passphrase of this machine is used\n"
            "  to do: leave it out here; on AWS, run `pulumi` itself",
        )


def salt_of(mirror: Path) -> str | None:
    """The salt in a mirrored stack file, if there is one that can be read."""
    try:
        found = _SALT.search(mirror.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None


def protection_setting(file: StackFile) -> str | None:
    """Key of the setting that protects the stack's stores, e.g. `parking:deletionProtection`, if it has one."""
    found = _PROTECTION.search(file.real.read_text()) if file.real.exists() else None
    return found.group(1) if found else None


def syntax_error(file: StackFile) -> str | None:
    """What is wrong with a stack file as YAML, with its name, which the engine does not give."""
    yaml = importlib.import_module("yaml")
    try:
        yaml.safe_load(file.real.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return None
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        return f"{file.real} is not valid YAML{line}: {getattr(error, 'problem', error)}"
    return None


def snapshot(home: Home, file: StackFile | None) -> dict[StackFile, str]:
    """What the mirrored stack files say before a command, that of the command's own stack included."""
    files = [stack_file(home=home, stack=name) for name in stack_names(home)]
    if file is not None and file not in files:
        files.append(file)
    return {file: file.mirror.read_text(encoding="utf-8") if file.mirror.exists() else "" for file in files}


def sync_back(file: StackFile, *, before: str) -> str | None:
    """Bring a configuration change from the mirror into the repository.

    Returns:
        A sentence when the file now also holds a salt, else None.

    Raises:
        LocalError: A secret value is new, and the file's secrets are a cloud's business.
    """
    try:
        after = file.mirror.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    if after == before or _configuration(after) == _configuration(before):
        return None
    has_secrets = _SECURE.search(after) is not None
    real = file.real.read_text(encoding="utf-8") if file.real.exists() else ""
    had_salt = _SALT.search(real) is not None
    if has_secrets and not had_salt and _CLOUD_SECRETS.search(real):
        raise LocalError(
            f"{file.real.name} names a cloud's key, so a value that this machine encrypted has no place in it.\n"
            "  found: a new value under `secure:`; nothing was written\n"
            "  needed: a value that the cloud's key encrypted, or a secret that the program generates\n"
            "  to do: use a copy of the file without `secretsprovider`: --config-file FILE",
        )
    if not (has_secrets or had_salt):
        after = _SALT.sub("", after)
    after = _with_cloud_key(after, real=real)
    write_atomically(file.real, keep_layout(before=real, after=after), mode=_mode(file.real))
    if has_secrets and not had_salt:
        return (
            f"{file.real.name} now holds an encrypted value, and the salt it needs; both were made with the "
            "passphrase of this local platform"
        )
    return None


def _with_cloud_key(after: str, *, real: str) -> str:
    """Put the lines about a cloud's key, which a mirror has not, where the repository's file has them."""
    lines = "".join(f"{found[0].rstrip()}\n" for found in _CLOUD_SECRETS.finditer(real))
    whole = f"\n{real}"
    is_first = whole.find("\nconfig:") > whole.find("\nsecretsprovider:") >= 0
    if is_first:
        return _CONFIG.sub(lambda found: lines + found[0], after, count=1)
    return f"{after.rstrip()}\n{lines}" if lines else after


def keep_layout(*, before: str, after: str) -> str:
    """Give `after` the blank lines and indentation of `before`, where its lines are the same."""
    old, new = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(
        None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False
    )
    lines: list[str] = []
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            lines += old[old_start:old_end]
        else:
            lines += [line for line in old[old_start:old_end] if not line.strip()]
            lines += new[new_start:new_end]
    merged = "\n".join(lines).strip("\n") + "\n"
    # Where old and new indentation do not mix, the engine's own layout is right.
    return merged if _parsed(merged) == _parsed(after) else after


def _configuration(text: str) -> object:
    return _parsed(_SALT.sub("", text))


def _parsed(text: str) -> object:
    # Only a changed configuration needs this, and every run pays for what is imported at the top.
    yaml = importlib.import_module("yaml")
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return text


def _read_project(home: Home) -> str:
    path = home.project / "Pulumi.yaml"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise LocalError(
            f"there is no project here.\n  found: {path}: {reason}\n"
            "  needed: the repository's Pulumi.yaml\n  to do: restore it (git restore Pulumi.yaml)",
        ) from error


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0o644


def _write(path: Path, text: str) -> None:
    """Write only what differs, so that two runs at once do not disturb each other."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    write_atomically(path, text)


def _link(link: Path, target: Path) -> None:
    """Let `virtualenv: .venv` of Pulumi.yaml mean the environment that runs this."""
    if link.is_symlink():
        if link.readlink() == target:
            return
        link.unlink()
    if not link.exists():
        link.symlink_to(target)
