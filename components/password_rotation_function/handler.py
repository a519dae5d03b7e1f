"""Lambda: rotates passwords of database logins for Secrets Manager, and keeps other regions' copies of the secrets.

Secrets Manager calls the four steps of a rotation one by one and repeats what failed; a schedule calls `sync`. Every
step can be repeated: it looks first at what is done.
"""

from __future__ import annotations

import json
import os
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .document import Document, following, password_of, renewed
from .server import Server

PASSWORD_LENGTH = 48
SYNC = "sync"
_ALPHABET = string.ascii_letters + string.digits
_AUTHORITIES = Path(__file__).with_name("authorities.pem")
_CURRENT, _PENDING, _PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=10)
_DAY = 86_400


class RotationError(RuntimeError):
    """A step that cannot be done; Secrets Manager tries it again, and the alarm on errors tells."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """The same secret of another region."""

    region: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Rotated:
    """A secret that is rotated.

    Attributes:
        logins: Its logins: a role's two, or a single one.
        copies: Where it is copied to.
    """

    logins: tuple[str, ...]
    copies: tuple[Copy, ...]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told by its environment."""

    region: str
    host: str
    port: int
    database: str
    metric_namespace: str
    settle_seconds: int
    secrets: Mapping[str, Rotated]
    """By ARN."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read `SETTINGS`, one JSON document."""
        given: dict[str, Any] = json.loads(environment["SETTINGS"])
        rotated = {
            arn: Rotated(logins=tuple(one["logins"]), copies=tuple(Copy(**copy) for copy in one["copies"]))
            for arn, one in given["secrets"].items()
        }
        fields: dict[str, Any] = {**given, "secrets": rotated}
        return cls(**fields)


class Logins(Protocol):
    """What is asked of the database."""

    def accepts(self, login: str, password: str) -> bool:
        """Whether it takes a password."""
        ...

    def change(self, login: str, password: str, new: str) -> None:
        """Change a login's password as itself."""
        ...


def handler(event: Mapping[str, str], context: object) -> None:  # noqa: ARG001
    """Entry point of Lambda."""
    settings = Settings.from_environment(os.environ)
    server = Server(
        host=settings.host,
        port=settings.port,
        database=settings.database,
        authorities=_AUTHORITIES.read_text(encoding="ascii"),
    )
    # boto3 ships without complete types.
    make: Callable[..., Any] = vars(boto3)["client"]
    rotation = Rotation(
        settings=settings,
        client=lambda region: make("secretsmanager", region_name=region, config=_RETRIES),
        server=server,
        now=time.time(),
    )
    rotation.run(event)


class Rotation:
    """One call of the function.

    Args:
        settings: The secrets and where they are copied to.
        client: Secrets Manager of a region.
        server: The database.
        now: The time, in seconds since 1970.
    """

    def __init__(
        self, *, settings: Settings, client: Callable[[str], Any], server: Logins, now: float
    ) -> None:
        self._settings, self._client, self._server, self._now = settings, client, server, now
        self._secrets = client(settings.region)

    def run(self, event: Mapping[str, str]) -> None:
        """Do what is asked.

        Args:
            event: `Step`, and for a rotation `SecretId` and `ClientRequestToken`.

        Raises:
            RotationError: When it cannot be done.
        """
        step = event.get("Step")
        if step == SYNC:
            self._sync_all()
            return
        steps = {
            "createSecret": self._create,
            "setSecret": self._set,
            "testSecret": self._test,
            "finishSecret": self._finish,
        }
        arn, token = event.get("SecretId", ""), event.get("ClientRequestToken", "")
        if step not in steps or not token:
            raise RotationError(f"no such step: {step!r}; there are {', '.join([*steps, SYNC])}")
        if arn not in self._settings.secrets:
            raise RotationError(f"{arn} is not rotated by this function")
        steps[step](arn, token)
        _log("done", step=step, secret=arn)

    def _create(self, arn: str, token: str) -> None:
        """Write down what is to come, before anything of it is so."""
        if self._read(arn, version=token) is not None:
            return
        current = self._current(arn)
        # A region left behind would be left with a login that the next change renews.
        self._sync(arn)
        adopted = self._read(arn, stage=_PENDING)
        if adopted is not None and adopted != current:
            # A rotation that was given up may have changed the database already.
            following_document = adopted
        else:
            self._check_settled(arn)
            following_document = following(
                current, logins=self._settings.secrets[arn].logins, new=_new_password()
            )
        self._secrets.put_secret_value(
            SecretId=arn,
            ClientRequestToken=token,
            SecretString=json.dumps(following_document, sort_keys=True),
            VersionStages=[_PENDING],
        )

    def _check_settled(self, arn: str) -> None:
        """Refuse to go on while poolers and services may not have the last change yet."""
        age = self._now - self._changed(arn)
        if age < self._settings.settle_seconds:
            raise RotationError(
                f"{arn} was changed {age:.0f} s ago; until {self._settings.settle_seconds} s have passed, poolers and "
                "services may not know it yet"
            )

    def _set(self, arn: str, token: str) -> None:
        current, pending = self._current(arn), self._pending(arn, token)
        previous = self._read(arn, stage=_PREVIOUS) or {}
        for login in renewed(current, pending, logins=self._settings.secrets[arn].logins):
            new = password_of(pending, login)
            if self._server.accepts(login, new):
                continue
            known = [password_of(document, login) for document in (current, previous) if document]
            old = next((one for one in known if self._server.accepts(login, one)), None)
            if old is None:
                raise RotationError(
                    f"the server takes no known password of {login}: see the runbook, section refused"
                )
            self._server.change(login, old, new)

    def _test(self, arn: str, token: str) -> None:
        """Log in with everything that the secret offers."""
        # Secrets Manager also tries this step alone, when rotation is set up, on a version of its own.
        document = self._read(arn, version=token) or self._current(arn)
        for login in self._settings.secrets[arn].logins:
            if not self._server.accepts(login, password_of(document, login)):
                raise RotationError(f"the server refuses {login} with the password that is to serve")

    def _finish(self, arn: str, token: str) -> None:
        self._pending(arn, token)
        stages = self._secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
        serving = next(version for version, labels in stages.items() if _CURRENT in labels)
        if serving != token:
            self._secrets.update_secret_version_stage(
                SecretId=arn, VersionStage=_CURRENT, MoveToVersionId=token, RemoveFromVersionId=serving
            )
        self._sync(arn)

    def _sync_all(self) -> None:
        failed: list[str] = []
        for arn in self._settings.secrets:
            try:
                self._sync(arn)
            except (ClientError, BotoCoreError) as error:
                failed.append(arn)
                _log("copy failed", secret=arn, error=str(error))
        self._report()
        if failed:
            raise RotationError(f"not copied to every region: {', '.join(failed)}")

    def _sync(self, arn: str) -> None:
        """Bring other regions' copies up to date; a region that is not there yet is left out."""
        value: str | None = None
        for copy in self._settings.secrets[arn].copies:
            client = self._client(copy.region)
            if value is None:
                value = str(
                    self._secrets.get_secret_value(SecretId=arn, VersionStage=_CURRENT)["SecretString"]
                )
            try:
                there = client.get_secret_value(SecretId=copy.name, VersionStage=_CURRENT)["SecretString"]
            except ClientError as error:
                if _code(error) != "ResourceNotFoundException":
                    raise
                _log("no such secret yet", region=copy.region, secret=copy.name)
                continue
            if there != value:
                client.put_secret_value(SecretId=copy.name, SecretString=value)
                _log("copied", region=copy.region, secret=copy.name)

    def _report(self) -> None:
        """One line in CloudWatch's embedded metric format: the age of the oldest secret."""
        oldest = max((self._now - self._changed(arn)) / _DAY for arn in self._settings.secrets)
        metric = {"Name": "OldestPasswordDays"}
        definition = {
            "Namespace": self._settings.metric_namespace,
            "Dimensions": [["Host"]],
            "Metrics": [metric],
        }
        _log(
            "run",
            Host=self._settings.host,
            OldestPasswordDays=round(oldest, 2),
            _aws={"Timestamp": int(self._now * 1000), "CloudWatchMetrics": [definition]},
        )

    def _changed(self, arn: str) -> float:
        """When the value that serves was written, or came to serve, if Secrets Manager knows that."""
        written = self._secrets.get_secret_value(SecretId=arn, VersionStage=_CURRENT)["CreatedDate"]
        rotated = self._secrets.describe_secret(SecretId=arn).get("LastRotatedDate")
        return max(float(moment.timestamp()) for moment in (written, rotated) if moment)

    def _current(self, arn: str) -> Document:
        document = self._read(arn, stage=_CURRENT)
        if document is None:
            raise RotationError(f"{arn} has no value")
        return document

    def _pending(self, arn: str, token: str) -> Document:
        document = self._read(arn, version=token)
        if document is None:
            raise RotationError(f"{arn} has no version {token}: createSecret did not succeed")
        return document

    def _read(self, arn: str, *, version: str | None = None, stage: str | None = None) -> Document | None:
        asked = {"VersionId": version} if version else {"VersionStage": stage}
        try:
            found = self._secrets.get_secret_value(SecretId=arn, **asked)
        except ClientError as error:
            # Also what a version is that exists without a value.
            if _code(error) == "ResourceNotFoundException":
                return None
            raise
        document: dict[str, str] = json.loads(found["SecretString"])
        return document


def _new_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))


def _code(error: ClientError) -> str:
    response: dict[str, Any] = vars(error)["response"]
    return str(response.get("Error", {}).get("Code", ""))


def _log(message: str, **fields: object) -> None:
    print(json.dumps({"message": message, **fields}, default=str))
