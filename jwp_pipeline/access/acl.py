"""ACLs as JW Platform holds them, and the permissions they mean.

An ACL is a comma list of entries: `WORLD` (everyone), `CAM` (everyone signed in), `USER_<crsid>`,
`GROUP_<Lookup group>`, `INST_<Lookup institution>`; any one of them suffices. Case matters.
What cannot be read grants nothing. Put here what an ACL means by itself, whoever asks and wherever it was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_EVERYONE = "WORLD"
_SIGNED_IN = "CAM"
_USER, _GROUP, _INST = "USER_", "GROUP_", "INST_"
# How the SMS wrote an empty list into some records: Python's repr of [''].
_EMPTY_LIST = "['']"
# An entry cannot hold a comma, nor a property of JW Platform a line feed.
_SEPARATORS = frozenset(",\n")


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do something: whoever any part of it names. Order and duplicates are as they were given.

    An empty name is kept as it was given, too, and names nobody.
    """

    is_public: bool = False
    is_signed_in: bool = False
    crsids: tuple[str, ...] = ()
    lookup_groups: tuple[str, ...] = ()
    lookup_insts: tuple[str, ...] = ()


NOBODY = Permission()


def parse_acl(entries: Iterable[str] | str) -> tuple[Permission, tuple[str, ...]]:
    """Read an ACL, given as its text or as its entries, and one problem for each entry that grants nothing.

    Entries are stripped and blank ones dropped. An unknown entry is left out; one with an empty name (`USER_`) is kept,
    as an empty name. No entries: nobody.
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
        if entry in (_USER, _GROUP, _INST):
            problems.append(f"entry {entry!r} names nobody and grants nothing")
    return Permission(is_public, is_signed_in, tuple(crsids), tuple(groups), tuple(insts)), tuple(problems)


def intersection(permission: Permission, limit: Permission) -> Permission:
    """What `permission` may keep where nothing beyond `limit` is to be granted.

    Everyone includes everyone signed in, who include everybody that is named. Who is in a group or an institution is
    not known here, so a person and a group have nobody in common. A permission within its limit comes back as it is;
    of two lists of names the shorter one keeps its order and duplicates.
    """
    if limit.is_public or (limit.is_signed_in and not permission.is_public):
        return permission
    if permission.is_public or permission.is_signed_in:
        return limit
    return Permission(
        crsids=_in_common(permission.crsids, limit.crsids),
        lookup_groups=_in_common(permission.lookup_groups, limit.lookup_groups),
        lookup_insts=_in_common(permission.lookup_insts, limit.lookup_insts),
    )


def _in_common(names: tuple[str, ...], limit: tuple[str, ...]) -> tuple[str, ...]:
    known = frozenset(names)
    return names if known <= frozenset(limit) else tuple(name for name in limit if name in known)


def format_acl(permission: Permission) -> str:
    """Write a permission as the text of an ACL: WORLD, CAM, USER_, GROUP_, INST_, comma-joined.

    A name that would not read back as it is, or that names nobody, is left out: with a comma in it, for one, it would
    be several entries, and could grant more than it did.
    """
    names = (
        prefix + name
        for prefix, members in (
            (_USER, permission.crsids),
            (_GROUP, permission.lookup_groups),
            (_INST, permission.lookup_insts),
        )
        for name in members
        if name and name == name.rstrip() and not _SEPARATORS & set(name)
    )
    everyone = [_EVERYONE] if permission.is_public else []
    signed_in = [_SIGNED_IN] if permission.is_signed_in else []
    return ",".join((*everyone, *signed_in, *names))
