"""Where moto's secrets answer otherwise than AWS's: what is mended before it serves."""

from __future__ import annotations

import functools
from typing import Any

from infra.local.cloud.wrapping import Wrapper, around, key_exists, part


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    backend = part("secretsmanager.models").SecretsManagerBackend
    around(backend, "create_secret", _create)
    around(backend, "put_secret_value", _put)
    around(backend, "rotate_secret", _rotate)


def _exceptions() -> Any:
    return part("secretsmanager.exceptions")


def _create(creates: Wrapper, self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """A name whose secret is scheduled for deletion is not free yet, and AWS says why."""
    known = self.secrets.get(name)
    if known is not None and known.is_deleted():
        raise _exceptions().InvalidRequestException(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    return creates(self, name, *args, **kwargs)


def _put(puts: Wrapper, self: Any, secret_id: str, *args: Any, **kwargs: Any) -> Any:
    """What a secret holds is encrypted when it is put: its key must be there then."""
    known = self.secrets.get(secret_id)
    key = getattr(known, "kms_key_id", None)
    if known is not None and known.is_deleted():
        raise _exceptions().InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    if key and not key_exists(self.account_id, self.region_name, key):
        raise _exceptions().SecretsManagerClientError(
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key.",
        )
    return puts(self, secret_id, *args, **kwargs)


def _rotate(
    rotates: Wrapper,
    self: Any,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: dict[str, Any] | None = None,
    *,
    rotate_immediately: bool = True,
) -> Any:
    """A rotation that starts later leaves the versions as they are; so does one whose function makes no new one."""
    known = self.secrets.get(secret_id)
    if known is None or not hasattr(known, "rotation_lambda_arn") or known.is_deleted():
        return rotates(self, secret_id, client_request_token, rotation_lambda_arn, rotation_rules)
    function = rotation_lambda_arn or known.rotation_lambda_arn
    _require_function(self, function)
    current, versions = known.default_version_id, dict(known.versions)
    if rotate_immediately:
        rotates(self, secret_id, client_request_token, function, rotation_rules)
        made: dict[str, Any] = known.versions.get(known.default_version_id) or {}
        if not {"secret_string", "secret_binary"} & set(made):
            known.default_version_id, known.versions = current, versions
    known.rotation_requested = known.rotation_enabled = True
    known.rotation_lambda_arn = function
    if rotation_rules and "AutomaticallyAfterDays" in rotation_rules:
        known.auto_rotate_after_days = rotation_rules["AutomaticallyAfterDays"]
    return known.to_short_dict()


def _require_function(self: Any, function: str) -> None:
    if not function:
        raise _exceptions().InvalidRequestException(
            "No Lambda rotation function ARN is associated with this secret."
        )
    functions = part("awslambda.utils").get_backend(self.account_id, self.region_name)
    try:
        functions.get_function(function)
    except Exception as error:
        raise _exceptions().ResourceNotFoundException(
            f"Secrets Manager can't invoke the specified Lambda function: {function} was not found."
        ) from error
