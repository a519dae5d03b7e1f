"""The two logins of a database role, of which one serves while the other can get a new password."""

from __future__ import annotations

_ALTERNATE = "{role}_alternate"


def logins(role: str) -> tuple[str, str]:
    """Logins of a role, the one that serves first in the beginning; both may do the same."""
    return role, _ALTERNATE.format(role=role)


def password_field(login: str) -> str:
    """Field of a role's secret with the password of one login; `username` and `password` are of the serving one."""
    return f"{login}_password"
