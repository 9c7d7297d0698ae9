"""Resources whose fields hold both what JWP sends and what it means, and permissions as states show them."""

from enum import Enum
from typing import Any, NamedTuple


class Special(Enum):
    ABSENT = "not there"
    KEEP = "cannot be read: the last good value stays"


ABSENT, KEEP = Special.ABSENT, Special.KEEP


class Value(NamedTuple):
    raw: Any
    """What JWP sends, in v1's form."""
    means: Any
    problem: bool = False


def permission(is_public=False, is_signed_in=False, crsids=(), lookup_groups=(), lookup_insts=()):
    return {
        "is_public": is_public,
        "is_signed_in": is_signed_in,
        "crsids": list(crsids),
        "lookup_groups": list(lookup_groups),
        "lookup_insts": list(lookup_insts),
    }


NOBODY, WORLD = permission(), permission(is_public=True)


class Resource(dict):
    """Field → Value of one video or channel. If `custom` is one of the fields, no property can be read."""

    def read(self, name, default):
        if name.startswith("sms_") and "custom" in self:
            return KEEP
        return self[name].means if self.has(name) else default

    def has(self, name):
        return name in self and self[name].raw is not ABSENT

    def has_properties(self):
        """Return whether there is any custom property; also True if the properties cannot be read."""
        return "custom" in self or any(name.startswith("sms_") and self.has(name) for name in self)

    def problems(self):
        """Return the names of the fields for which mapping should note a problem."""
        hidden = {name for name in self if name.startswith("sms_")} if "custom" in self else set()
        return {name for name, value in self.items() if name not in hidden and value.problem}

    def as_v1(self, key):
        sent = {name: value.raw for name, value in self.items() if value.raw is not ABSENT}
        custom = {name: sent.pop(name) for name in list(sent) if name.startswith("sms_")}
        return {"key": key, "type": "manual", "custom": custom, **sent}
