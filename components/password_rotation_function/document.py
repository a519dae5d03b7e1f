"""What a secret holds and what it should hold next: no calls, so that every case can be tested.

A role has two logins. A secret names the one that serves (`username`, `password`) and the passwords of both
(`<login>_password`). Rotation takes turns: it *renews* the login that does not serve, and the next time it *switches*
to it. So whoever reads secrets late, pooler or service, knows a login long before it serves and long after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Document = Mapping[str, str]

_USER, _PASSWORD = "username", "password"
_WAITING = "renewed"
"""Field with the login that was renewed and does not serve yet."""


class DocumentError(ValueError):
    """A secret that does not hold what it should."""


def password_of(document: Document, login: str) -> str:
    """Password of one login.

    Raises:
        DocumentError: When the secret has none.
    """
    # A secret of a single login needs no second field.
    found = document.get(f"{login}_password") or (
        document.get(_PASSWORD) if document.get(_USER) == login else None
    )
    if not found:
        raise DocumentError(f"the secret has no password of {login}; it has {sorted(document)}")
    return found


def following(current: Document, *, logins: Sequence[str], new: str) -> Document:
    """What follows a document.

    Args:
        current: What serves now.
        logins: The role's logins, one or two.
        new: A new password, for the login that is renewed.

    Raises:
        DocumentError: When the secret is not of these logins.
    """
    serving = current.get(_USER, "")
    if serving not in logins:
        raise DocumentError(f"the secret is of {serving!r}, not of {' or '.join(logins)}")
    others = [login for login in logins if login != serving]
    if not others:
        return {**current, _PASSWORD: new}
    (other,) = others
    if current.get(_WAITING) == other:
        return {**current, _USER: other, _PASSWORD: password_of(current, other), _WAITING: ""}
    return {**current, f"{other}_password": new, _WAITING: other}


def renewed(before: Document, after: Document, *, logins: Sequence[str]) -> list[str]:
    """Logins whose password differs between two documents."""
    return [login for login in logins if password_of(before, login) != password_of(after, login)]
