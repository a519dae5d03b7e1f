"""Migrations of the database as psql runs them: every file once, in order, each in a transaction of its own.

psql and plain SQL, nothing else to trust or to keep: the driver is one script that this module writes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from infra.data.logins import logins

_FILE = re.compile(r"(?P<version>\d{4})_[a-z0-9_]+\.sql")
LOCK = 5_020_401
"""Advisory lock that two runs at once wait for."""
_TABLE = """\\set ON_ERROR_STOP on
BEGIN;
SELECT pg_advisory_xact_lock({lock});
CREATE TABLE IF NOT EXISTS schema_migrations (
    version text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now()
);
COMMIT;
"""
_ONE = """
BEGIN;
SELECT pg_advisory_xact_lock({lock});
SELECT count(*) = 0 AS pending, coalesce(max(checksum) <> '{checksum}', false) AS changed
FROM schema_migrations WHERE version = '{version}' \\gset
\\if :changed
    DO 'BEGIN RAISE EXCEPTION ''migration {version} was changed after it was applied; write a new one''; END';
\\endif
\\if :pending
    \\ir {file}
    INSERT INTO schema_migrations (version, checksum) VALUES ('{version}', '{checksum}');
\\endif
COMMIT;
"""
_ROLE = """
\\getenv password PASSWORD_{variable}
SELECT set_config('parking.password', :'password', false) IS NULL AS unset \\gset
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
        EXECUTE format('CREATE ROLE "{name}" LOGIN PASSWORD %L', current_setting('parking.password'));
    END IF;
END $$;
ALTER ROLE "{name}" SET statement_timeout = '{timeout}s';
ALTER ROLE "{name}" SET default_transaction_read_only = {read_only};
GRANT USAGE ON SCHEMA public TO "{name}";
GRANT {rights} ON ALL TABLES IN SCHEMA public TO "{name}";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON TABLES TO "{name}";
"""


class MigrationError(ValueError):
    """Migrations that cannot be put in order."""


def driver(files: Mapping[str, str]) -> str:
    """The script that applies migrations which lie beside it.

    Args:
        files: Text of each migration by file name, `NNNN_what_it_does.sql`, numbered without gaps from 0001.

    Raises:
        MigrationError: When a name has another form, or the numbers have gaps or repeat.
    """
    names = sorted(files)
    matches = [_FILE.fullmatch(name) for name in names]
    versions = [match["version"] for match in matches if match]
    if versions != [f"{number:04}" for number in range(1, len(names) + 1)]:
        raise MigrationError(
            f"migrations need names NNNN_what.sql, numbered from 0001 without gaps; found {names}"
        )
    steps = [
        _ONE.format(lock=LOCK, version=version, checksum=checksum(files[name]), file=name)
        for version, name in zip(versions, names, strict=True)
    ]
    return "".join([_TABLE.format(lock=LOCK), *steps])


def checksum(text: str) -> str:
    """What tells that an applied migration was changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def roles(services: Sequence[str], *, writers: Sequence[str], statement_timeout_seconds: int) -> str:
    """The script that makes the logins of the services' roles and says what they may do.

    Repeatable. A new login's password comes from the environment (`PASSWORD_<LOGIN>`), never from an argument or this
    text, and not by a statement of its own, which the server would log. A login that exists keeps its password: that is
    rotation's, and what the job was given may be older.

    Args:
        services: Roles.
        writers: Of them, those that may write; others are read-only.
        statement_timeout_seconds: Longest statement of a role, also for connections around the pools.
    """
    return "\\set ON_ERROR_STOP on\n" + "".join(
        _role(login, writes=name in writers, timeout=statement_timeout_seconds)
        for name in sorted(services)
        for login in logins(name)
    )


def _role(name: str, *, writes: bool, timeout: int) -> str:
    rights = "SELECT, INSERT, UPDATE, DELETE" if writes else "SELECT"
    return _ROLE.format(
        name=name, variable=name.upper(), timeout=timeout, read_only="off" if writes else "on", rights=rights
    )
