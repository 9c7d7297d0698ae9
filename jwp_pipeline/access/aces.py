"""The entries of ACLs as objects, and decisions by the ACL of one resource as JW Platform has it (semantics §9).

acl.py turns whole ACLs into permissions, which the record keeps; these classes have the form of the reference.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from jwp_pipeline.access.acl import EVERYONE, GROUP, INST, SIGNED_IN, USER, entries_of
from jwp_pipeline.access.lookup import default_lookup
from jwp_pipeline.access.people import People
from jwp_pipeline.access.users import User, is_signed_in, username_of
from jwp_pipeline.jwplatform.properties import Unreadable, property_value
from jwp_pipeline.jwplatform.shapes import raw_properties
from jwp_pipeline.settings import load_settings

_log = logging.getLogger(__name__)


class Ace:
    """An entry of an ACL."""

    __slots__ = ()

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return the entry with this text, or None if it is none of this class. Case matters; nothing is stripped."""
        raise NotImplementedError

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Whether the entry lets a user pass.

        `lookup` knows groups and institutions. By default it is the one of the settings in the environment, which is
        made when it is first needed.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class AceWorld(Ace):
    """`WORLD`: everyone."""

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return an entry for the text `WORLD`."""
        return cls() if ace == EVERYONE else None

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Return True."""
        return True


@dataclass(frozen=True, slots=True)
class AceCam(Ace):
    """`CAM`: everyone who is signed in."""

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return an entry for the text `CAM`."""
        return cls() if ace == SIGNED_IN else None

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Whether the user is signed in."""
        return is_signed_in(user)


@dataclass(frozen=True, slots=True)
class AceInst(Ace):
    """`INST_<instid>`: the members of an institution."""

    instid: str

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return an entry for a text that begins with `INST_`."""
        return cls(ace.removeprefix(INST)) if _begins(ace, INST) else None

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Whether Lookup says that the user belongs to the institution."""
        name = username_of(user) if self.instid else None
        return name is not None and self.instid in (lookup or default_lookup()).membership(name).institutions


@dataclass(frozen=True, slots=True)
class AceGroup(Ace):
    """`GROUP_<groupid>`: the members of a group, by its id or its name."""

    groupid: str

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return an entry for a text that begins with `GROUP_`."""
        return cls(ace.removeprefix(GROUP)) if _begins(ace, GROUP) else None

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Whether Lookup says that the user belongs to a group with this id or name."""
        name = username_of(user) if self.groupid else None
        return name is not None and self.groupid in (lookup or default_lookup()).membership(name).groups


@dataclass(frozen=True, slots=True)
class AceUser(Ace):
    """`USER_<crsid>`: one person."""

    crsid: str

    @classmethod
    def parse(cls, ace: Any) -> Self | None:
        """Return an entry for a text that begins with `USER_`."""
        return cls(ace.removeprefix(USER)) if _begins(ace, USER) else None

    def has_permission(self, user: User | None, lookup: People | None = None) -> bool:
        """Whether the user has this name."""
        return bool(self.crsid) and username_of(user) == self.crsid


ACE_CLASSES = (AceWorld, AceCam, AceInst, AceGroup, AceUser)


def build_acl(acl: Any) -> list[Ace]:
    """Return the entries of an ACL, given as a list of texts or as one text with commas.

    Entries are stripped, blank ones are dropped, and `['']` is an empty ACL. An entry that is unknown or no text grants
    nothing: it is left out and logged. Never raises for a JSON value; what is no ACL at all has no entries.
    """
    if not isinstance(acl, str | list | tuple):
        return []
    texts = acl if isinstance(acl, str) else [each for each in acl if isinstance(each, str)]
    built: list[Ace] = []
    for text in entries_of(texts):
        ace = next((ace for each in ACE_CLASSES if (ace := each.parse(text)) is not None), None)
        if ace is None:
            _log.warning("The entry %r of an ACL is unknown and grants nothing.", text[:80])
        else:
            built.append(ace)
    return built


def check_user_access(
    resource: Any, user: User | None, lookup: People | None = None, *, default_acl: str | None = None
) -> bool:
    """Whether the ACL that JW Platform has for a video lets a user pass.

    `resource` is a CachedResource or its `data`, in v1 or v2 shape. A video without an sms_acl has `default_acl`,
    or else JWP_DEFAULT_ACL of the settings in the environment, which are read once. One that is deleted, or whose ACL
    cannot be read, is for nobody. Never raises for a JSON value. Raises SettingsError if it needs settings that cannot
    be read.
    """
    if not isinstance(resource, Mapping):
        if getattr(resource, "deleted_at", None) is not None:
            return False
        resource = getattr(resource, "data", None)
    properties = raw_properties(resource) if isinstance(resource, Mapping) else None
    if not isinstance(properties, Mapping):
        return False
    if "sms_acl" not in properties:
        acl = _default_acl() if default_acl is None else default_acl
    else:
        try:
            acl = property_value(properties["sms_acl"], ("acl",))
        except Unreadable:
            return False
    # Entries that need Lookup come last, because another one may grant access without it.
    entries = sorted(build_acl(acl), key=lambda ace: isinstance(ace, AceInst | AceGroup))
    return any(ace.has_permission(user, lookup) for ace in entries)


@cache
def _default_acl() -> str:
    return load_settings().default_acl


def _begins(ace: Any, prefix: str) -> bool:
    return isinstance(ace, str) and ace.startswith(prefix)
