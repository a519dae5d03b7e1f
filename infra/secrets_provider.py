"""Which key encrypts a stack's secrets: on AWS always one of KMS, never a passphrase.

The program refuses a stack file that says otherwise, and the workflows ask before they plan or apply:

    python -m infra.secrets_provider prod
    pulumi stack export --stack prod | python -m infra.secrets_provider prod --state -

The local platform has keys of its own and leaves these lines of a stack file out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import yaml

from infra import stack_files
from infra.problems import Problem, SettingsError

_SCHEME = "awskms"
_WHY = "a passphrase is shared by hand, is never rotated and leaves no trace of who used it; KMS asks IAM and logs"
_OVERRIDES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CLOUD_SECRET_OVERRIDE")
"""Variables with which the engine would take another key than the stack file's."""


def of_stack_file(path: Path) -> list[Problem]:
    """What is wrong with the key that a stack file names; nothing where it cannot be read, which others say.

    Args:
        path: The stack file.
    """
    try:
        content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    return list(_of_content(cast("dict[str, Any]", content))) if isinstance(content, dict) else []


def _of_content(content: Mapping[str, Any]) -> Iterator[Problem]:
    config = content.get("config")
    region = str(cast("dict[str, Any]", config).get("aws:region", "")) if isinstance(config, dict) else ""
    example = f"{_SCHEME}://alias/parking-pulumi?region={region or 'REGION'}"
    found = content.get("secretsprovider")
    if found is None:
        yield Problem(
            key="secretsprovider",
            found="nothing, so that the engine would ask for a passphrase",
            allowed=f"a key of KMS, such as {example}",
            why=_WHY,
            action=f"write at the top of the file: secretsprovider: {example}",
        )
    elif wrong := _wrong_url(str(found)):
        yield Problem(
            key="secretsprovider",
            found=f"{found}: {wrong}",
            allowed=f"a key of KMS, such as {example}",
            why=_WHY,
            action=f"write: secretsprovider: {example}, then: pulumi stack change-secrets-provider '{example}'",
        )
    if "encryptionsalt" in content:
        yield Problem(
            key="encryptionsalt",
            found="the salt of a passphrase",
            allowed="encryptedkey, which `pulumi stack init` writes with a key of KMS",
            why=_WHY,
            action="restore the file (git restore), and keep secrets in Secrets Manager instead of a stack file",
        )


def _wrong_url(url: str) -> str | None:
    """What is wrong with the URL of a key, None if nothing is."""
    parts = urlsplit(url)
    if parts.scheme != _SCHEME:
        return "not a key of KMS"
    if not (parts.netloc + parts.path).strip("/"):
        return "no key or alias is named"
    if not parse_qs(parts.query).get("region"):
        return "no region, so that it would be looked for wherever the caller happens to be"
    return None


def of_deployment(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """What else is wrong with a stack that AWS holds: no data key in its file, or variables that name another key.

    Args:
        path: The stack file.
        environ: The caller's environment.
    """
    problems = of_stack_file(path)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if "\nencryptedkey:" not in f"\n{text}":
        problems.append(
            Problem(
                key="encryptedkey",
                found="nothing",
                allowed="the data key that `pulumi stack init --secrets-provider` writes, encrypted by KMS",
                why="without it every run makes a data key of its own and forgets it",
                action="make the stack as README says, and commit the line that appeared in its file",
            )
        )
    for name in _OVERRIDES:
        if name in environ:
            problems.append(
                Problem(
                    key=name,
                    found="set (its value is not shown)",
                    allowed="not set where a stack of AWS is planned or applied",
                    why=_WHY,
                    action=f"unset {name}",
                )
            )
    return problems


def of_state(document: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the key that encrypted a state.

    Args:
        document: What `pulumi stack export` printed.
    """
    deployment = cast("dict[str, Any]", document.get("deployment") or {})
    provider = cast("dict[str, Any]", deployment.get("secrets_providers") or {})
    url = str(cast("dict[str, Any]", provider.get("state") or {}).get("url", ""))
    if not deployment.get("resources") and not provider:
        return []  # made, never applied: it holds nothing
    if provider.get("type") == "cloud" and _wrong_url(url) is None:
        return []
    return [
        Problem(
            key="secrets_providers",
            found=f"{provider.get('type', 'none')} {url}".strip(),
            allowed=f"cloud {_SCHEME}://",
            why=_WHY,
            action="pulumi stack change-secrets-provider with the stack file's secretsprovider",
        )
    ]


def main(arguments: Sequence[str]) -> int:
    """Judge the key of a stack.

    Returns:
        0 when it is one of KMS, else 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m infra.secrets_provider", description="Judge a stack's key."
    )
    parser.add_argument("stack", help="name of the stack")
    parser.add_argument(
        "--state", metavar="FILE", help="also judge what `pulumi stack export` printed; - reads it"
    )
    given = parser.parse_args(arguments)
    path = stack_files.path_of(given.stack)
    problems = of_deployment(path, os.environ)
    if given.state is not None:
        try:
            text = sys.stdin.read() if given.state == "-" else Path(given.state).read_text(encoding="utf-8")
            document: object = json.loads(text)
        except (OSError, ValueError) as error:
            print(f"error: {given.state}: not what `pulumi stack export` prints: {error}", file=sys.stderr)
            return 1
        problems += of_state(cast("dict[str, Any]", document) if isinstance(document, dict) else {})
    if problems:
        print(f"error: {SettingsError(stack=given.stack, problems=problems)}", file=sys.stderr)
        return 1
    print(f"stack {given.stack}: secrets are encrypted by KMS")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
