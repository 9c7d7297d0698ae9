"""Says what a user is to the decisions: any object with a name, which may bring permissions of the application.

Nothing that an object happens to hold grants by accident: a value of an unexpected type counts as absent.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any, Protocol


class User(Protocol):
    """Somebody who uses an application. None is the anonymous user, too.

    A user may also have `permissions`, a set of words such as `view_mediaitem`, and `is_superuser`. An anonymous user
    has neither, and matches no name, whatever their username is.
    """

    @property
    def username(self) -> str:
        """The name that ACLs call them by (a crsid)."""
        ...

    @property
    def is_anonymous(self) -> bool:
        """Whether they are not signed in."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A user who is signed in, for applications that have no user objects of their own."""

    username: str
    permissions: frozenset[str] = frozenset()
    is_superuser: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether they are not signed in: only if they have no name."""
        return not self.username


ANONYMOUS = Person("")
"""The user who is not signed in."""


def is_signed_in(user: Any) -> bool:
    """Whether this is a user, and not the anonymous one."""
    # None is the anonymous user, and an object that does not say so is no user.
    is_anonymous = getattr(user, "is_anonymous", True)
    # It was a method in old versions of Django.
    return not (is_anonymous() if callable(is_anonymous) else is_anonymous)


def username_of(user: Any) -> str | None:
    """Return the name of a user who is signed in; None for the anonymous user and for one without a name."""
    username = getattr(user, "username", None)
    return username if is_signed_in(user) and isinstance(username, str) and username.strip() else None


def is_superuser(user: Any) -> bool:
    """Whether a user is signed in and may do everything."""
    return is_signed_in(user) and getattr(user, "is_superuser", False) is True


def has_user_permission(user: Any, word: str) -> bool:
    """Whether a user is signed in and has a permission of the application. A superuser has every one."""
    if not is_signed_in(user):
        return False
    permissions = getattr(user, "permissions", None)
    # A text would contain many words by accident.
    return is_superuser(user) or (isinstance(permissions, Set | list | tuple) and word in permissions)
