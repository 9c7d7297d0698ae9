"""Who may view an item, as its ACL at JW Platform comes, changes, cannot be read, or vanishes (semantics §4).

Pure: one video as it is listed beside what is known of it. Put here every rule about permissions that needs both.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from jwp_pipeline.access.acl import Permission, intersection
from jwp_pipeline.media.mapping import KEEP, AclState, Keep, VideoFields

KnownAclState = AclState | Literal["vanished"]
"""What column `videos.acl_state` holds. An ACL that has vanished keeps the permission as it was."""


class Known(NamedTuple):
    """What earlier syncs remember of a video, and the item as it is now."""

    acl_state: KnownAclState | None
    had_acl: bool
    sms_media_id: int | None
    """The SMS id that it claimed when it was last synchronised."""
    permission: Permission | None
    """Who may view the item; None where there is none, or where every item is due."""


class Decision(NamedTuple):
    """Who may view the item of a video."""

    acl_state: KnownAclState
    permission: Permission | Keep
    """When the item is due. KEEP: as it is; a new item is nobody's."""
    narrowed: Permission | None
    """Already before it is due; None: as it is. Never grants what the item does not grant now."""


def decide(fields: VideoFields, known: Known, *, strict: bool) -> Decision:
    """Apply the rules to one video. `strict` is JWP_STRICT_ACLS."""
    acl_state = _acl_state(fields, known, strict=strict)
    if acl_state == "vanished":
        return Decision(acl_state, KEEP, None)
    narrowed = None
    # What cannot be read grants nothing, and does so at once in any mode.
    if known.permission is not None and (strict or acl_state == "unreadable"):
        kept = intersection(known.permission, fields.permission)
        narrowed = None if kept == known.permission else kept
    return Decision(acl_state, fields.permission, narrowed)


def _acl_state(fields: VideoFields, known: Known, *, strict: bool) -> KnownAclState:
    if fields.acl_state != "absent":
        return fields.acl_state
    # What is kept stays so until there is an ACL again, whatever else comes and goes.
    is_kept = known.acl_state in ("unreadable", "vanished")
    vanished = known.had_acl and (strict or _all_vanished(fields, known))
    return "vanished" if is_kept or vanished else "absent"


def _all_vanished(fields: VideoFields, known: Known) -> bool:
    """Whether the SMS id is gone, too, or every property: likely an accident, since v2's PATCH replaces them all."""
    return fields.sms_media_id is None and (known.sms_media_id is not None or not fields.has_properties)
