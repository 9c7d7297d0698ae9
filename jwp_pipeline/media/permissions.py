"""Decides who may view an item when its ACL at JW Platform appears, changes, cannot be read or vanishes (semantics §4).

The functions are pure: they compare one video as listed with what is known about it. Put here every rule about
permissions that needs both.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from jwp_pipeline.access.acl import Permission, intersection
from jwp_pipeline.media.mapping import KEEP, AclState, Keep, VideoFields

KnownAclState = AclState | Literal["vanished"]
"""The values of column `videos.acl_state`. If an ACL has vanished, the permission stays as it was."""


class Known(NamedTuple):
    """What earlier syncs stored about a video, and the present permission of its item."""

    acl_state: KnownAclState | None
    had_acl: bool
    sms_media_id: int | None
    """The SMS id that the video claimed when it was last synchronised."""
    permission: Permission | None
    """Who may view the item now; None if there is no item, or if the sync is one of all items."""


class Decision(NamedTuple):
    """The decision about who may view the item of a video."""

    acl_state: KnownAclState
    permission: Permission | Keep
    """The permission that the item gets when it is due. KEEP leaves it as it is, and nobody may view a new item."""
    narrowed: Permission | None
    """The permission that it gets even before it is due, or None to leave it. It never grants more than before."""


def decide(fields: VideoFields, known: Known, *, strict: bool) -> Decision:
    """Apply the rules to one video. `strict` is JWP_STRICT_ACLS."""
    acl_state = _acl_state(fields, known, strict=strict)
    if acl_state == "vanished":
        return Decision(acl_state, KEEP, None)
    narrowed = None
    # An ACL that cannot be read grants nothing, and this takes effect at once in any mode.
    if known.permission is not None and (strict or acl_state == "unreadable"):
        kept = intersection(known.permission, fields.permission)
        narrowed = None if kept == known.permission else kept
    return Decision(acl_state, fields.permission, narrowed)


def _acl_state(fields: VideoFields, known: Known, *, strict: bool) -> KnownAclState:
    if fields.acl_state != "absent":
        return fields.acl_state
    # A permission that is kept stays until there is an ACL again, whatever happens to the other properties.
    is_kept = known.acl_state in ("unreadable", "vanished")
    vanished = known.had_acl and (strict or _all_vanished(fields, known))
    return "vanished" if is_kept or vanished else "absent"


def _all_vanished(fields: VideoFields, known: Known) -> bool:
    """Whether the SMS id, or every property, is gone as well.

    That is probably an accident, because v2's PATCH replaces all properties at once.
    """
    return fields.sms_media_id is None and (known.sms_media_id is not None or not fields.has_properties)


def while_edited(
    decision: Decision, fields: VideoFields, known: Known, *, is_left_alone: bool, is_undecided: bool
) -> Decision:
    """Change a decision for an item whose permission was edited here (semantics §8).

    An edit on its way is left alone. While nobody has decided about one, the item is for those whom both sides admit.
    """
    if is_left_alone:
        return decision._replace(permission=KEEP, narrowed=None)
    if not is_undecided or known.permission is None:
        return decision
    both = intersection(known.permission, fields.permission)
    return decision._replace(permission=both, narrowed=None if both == known.permission else both)
