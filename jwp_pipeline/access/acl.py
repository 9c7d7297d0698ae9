"""Converts between ACLs, as JW Platform stores them, and permissions.

An ACL is a comma-separated list of entries: `WORLD` (everyone), `CAM` (everyone signed in), `USER_<crsid>`,
`GROUP_<Lookup group>` and `INST_<Lookup institution>`. Matching one of them is enough. Case matters, and an entry that
cannot be read grants nothing. Put here what an ACL means by itself, no matter who asks and where it was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EVERYONE, SIGNED_IN = "WORLD", "CAM"
USER, GROUP, INST = "USER_", "GROUP_", "INST_"
"""How entries that name somebody begin."""
EMPTY_LIST = "['']"
"""The SMS wrote an empty list into some records in this form, which is Python's repr of ['']."""
# An entry cannot contain a comma, and a property of JW Platform cannot contain a line feed.
_SEPARATORS = frozenset(",\n")


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do something: everybody who is named by any of its fields.

    Names keep their order and duplicates. An empty name is kept as well, but matches nobody.
    """

    is_public: bool = False
    is_signed_in: bool = False
    crsids: tuple[str, ...] = ()
    lookup_groups: tuple[str, ...] = ()
    lookup_insts: tuple[str, ...] = ()


NOBODY = Permission()


def entries_of(acl: Iterable[str] | str) -> list[str]:
    """Return the entries of an ACL, given as text or as entries: stripped, without blank ones. It may be empty."""
    given = acl.split(",") if isinstance(acl, str) else acl
    entries = [entry for entry in (entry.strip() for entry in given) if entry]
    return [] if entries == [EMPTY_LIST] else entries


def parse_acl(entries: Iterable[str] | str) -> tuple[Permission, tuple[str, ...]]:
    """Read an ACL from text or entries. Returns the permission, and a problem for each entry that grants nothing.

    Entries are stripped, and blank ones dropped. An unknown entry is left out, while an entry with an empty name
    (`USER_`) is kept as an empty name. An ACL without entries grants nothing to anybody.
    """
    acl = entries_of(entries)
    is_public = is_signed_in = False
    crsids: list[str] = []
    groups: list[str] = []
    insts: list[str] = []
    problems: list[str] = []
    for entry in acl:
        if entry == EVERYONE:
            is_public = True
        elif entry == SIGNED_IN:
            is_signed_in = True
        elif entry.startswith(USER):
            crsids.append(entry.removeprefix(USER))
        elif entry.startswith(GROUP):
            groups.append(entry.removeprefix(GROUP))
        elif entry.startswith(INST):
            insts.append(entry.removeprefix(INST))
        else:
            problems.append(f"unknown entry {entry!r} grants nothing")
        if entry in (USER, GROUP, INST):
            problems.append(f"entry {entry!r} names nobody and grants nothing")
    return Permission(is_public, is_signed_in, tuple(crsids), tuple(groups), tuple(insts)), tuple(problems)


def intersection(permission: Permission, limit: Permission) -> Permission:
    """Return the part of `permission` that `limit` grants as well.

    "Everyone" includes everyone who is signed in, and that includes everybody who is named. The members of groups and
    institutions are not known here, so a person and a group never overlap. A permission that is within the limit is
    returned unchanged. For each kind of name, the list of `permission` is returned unchanged if it is within the limit;
    otherwise the common names are returned as `limit` has them, in its order and with its duplicates.
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
    # An array of more dimensions, which somebody may have written, has lists in place of names, and grants nothing.
    known, allowed = ([name for name in given if isinstance(name, str)] for given in (names, limit))
    common = set(known) & set(allowed)
    return names if common.issuperset(known) else tuple(name for name in allowed if name in common)


def format_acl(permission: Permission) -> str:
    """Write a permission as the text of an ACL, with the entries in the order WORLD, CAM, USER_, GROUP_, INST_.

    Empty names are left out, and so are names that would be read back differently: one with a comma, for example, would
    become several entries, which might grant more than the name did.
    """
    names = (
        prefix + name
        for prefix, members in (
            (USER, permission.crsids),
            (GROUP, permission.lookup_groups),
            (INST, permission.lookup_insts),
        )
        for name in members
        if name and name == name.rstrip() and not _SEPARATORS & set(name)
    )
    everyone = [EVERYONE] if permission.is_public else []
    signed_in = [SIGNED_IN] if permission.is_signed_in else []
    return ",".join((*everyone, *signed_in, *names))
