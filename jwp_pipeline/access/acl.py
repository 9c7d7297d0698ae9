"""ACLs as JW Platform holds them, and the permissions they mean.

An ACL is a comma list of entries: `WORLD` (everyone), `CAM` (everyone signed in), `USER_<crsid>`,
`GROUP_<Lookup group>`, `INST_<Lookup institution>`; any one of them suffices. Case matters.
What cannot be read grants nothing. Not here: asking whether a given person may see something, and where an
ACL is found in a resource (media/mapping).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_EVERYONE = "WORLD"
_SIGNED_IN = "CAM"
_USER, _GROUP, _INST = "USER_", "GROUP_", "INST_"
# How the SMS wrote an empty list into some records: Python's repr of [''].
_EMPTY_LIST = "['']"


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do something: whoever any part of it names. Order and duplicates are as they were given."""

    is_public: bool = False
    is_signed_in: bool = False
    crsids: tuple[str, ...] = ()
    lookup_groups: tuple[str, ...] = ()
    lookup_insts: tuple[str, ...] = ()


NOBODY = Permission()


def parse_acl(entries: Iterable[str] | str) -> tuple[Permission, tuple[str, ...]]:
    """Read an ACL, given as its text or as its entries, and one problem for each entry that is unknown.

    Entries are stripped and blank ones dropped; an unknown one grants nothing. No entries: nobody.
    """
    given = entries.split(",") if isinstance(entries, str) else entries
    acl = [entry for entry in (entry.strip() for entry in given) if entry]
    if acl == [_EMPTY_LIST]:
        return NOBODY, ()
    is_public = is_signed_in = False
    crsids: list[str] = []
    groups: list[str] = []
    insts: list[str] = []
    problems: list[str] = []
    for entry in acl:
        if entry == _EVERYONE:
            is_public = True
        elif entry == _SIGNED_IN:
            is_signed_in = True
        elif entry.startswith(_USER):
            crsids.append(entry.removeprefix(_USER))
        elif entry.startswith(_GROUP):
            groups.append(entry.removeprefix(_GROUP))
        elif entry.startswith(_INST):
            insts.append(entry.removeprefix(_INST))
        else:
            problems.append(f"unknown entry {entry!r} grants nothing")
    return Permission(is_public, is_signed_in, tuple(crsids), tuple(groups), tuple(insts)), tuple(problems)


def format_acl(permission: Permission) -> str:
    """Write a permission as the text of an ACL: WORLD, CAM, USER_, GROUP_, INST_, comma-joined.

    A name with a comma is left out: read back, it would be several entries, and could grant more than it did.
    """
    names = (
        prefix + name
        for prefix, members in (
            (_USER, permission.crsids),
            (_GROUP, permission.lookup_groups),
            (_INST, permission.lookup_insts),
        )
        for name in members
        if "," not in name
    )
    everyone = [_EVERYONE] if permission.is_public else []
    signed_in = [_SIGNED_IN] if permission.is_signed_in else []
    return ",".join((*everyone, *signed_in, *names))
