"""The people whom the simulated Lookup knows. Their institutions, groups and names occur in the demo library's ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Member:
    """One person. Groups are pairs of id and name."""

    identifier: str
    description: str
    institutions: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    def resource(self, scheme: str, fetch: frozenset[str]) -> dict[str, Any]:
        """Return the person as Lookup describes them, with the lists that `fetch` names."""
        resource: dict[str, Any] = {
            "identifier": {"scheme": scheme, "value": self.identifier},
            "visibleName": self.description.capitalize(),
            "isStaff": False,
        }
        if "all_insts" in fetch:
            resource["institutions"] = [{"instid": each, "name": f"Department {each}"} for each in self.institutions]
        if "all_groups" in fetch:
            resource["groups"] = [{"groupid": groupid, "name": name} for groupid, name in self.groups]
        return resource


DEMO_PEOPLE: Mapping[str, Member] = MappingProxyType(
    {
        member.identifier: member
        for member in (
            Member("sl201", "a student of law", institutions=("LAW",)),
            Member("jt700", "a lecturer in history and music", institutions=("HIST", "MUS")),
            Member(
                "gm345",
                "a member of two groups",
                groups=(("103131", "Moot society"), ("103540", "Recording team")),
            ),
        )
    }
)
"""The demo's people, by identifier. `jt700` is also named by an ACL."""
