"""What is known of people: the institutions and groups that they belong to, and who can be asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Membership:
    """The institutions and groups of one person."""

    institutions: frozenset[str] = frozenset()
    """Ids of institutions."""
    groups: frozenset[str] = frozenset()
    """Ids and names of groups: an ACL may use either."""


class People(Protocol):
    """Whoever knows the institutions and groups of people, such as `Lookup`."""

    def membership(self, user: Any) -> Membership:
        """Return the institutions and groups of a user or username. It never raises an exception."""
        ...
