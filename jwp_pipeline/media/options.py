"""The options of the media side, which come from the settings of the same names and from the arguments of a run."""

from __future__ import annotations

from dataclasses import dataclass

from jwp_pipeline.access.acl import Permission, parse_acl
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.media.mapping import CreateItems
from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """Options for which items are made, who may view them, and whether all of them are synchronised."""

    create_items: CreateItems
    default_acl: Permission
    """Who may view a video that has no ACL."""
    strict_acls: bool
    """Whether permissions are narrowed at once, and stay as they are if an ACL has vanished (permissions.py)."""
    sync_all: bool = False
    pushes_edits: bool = True
    """Whether edits go to JW Platform (JWP_SYNC_ITEMS). If so, a sync leaves fields with an unsent edit alone."""

    @classmethod
    def from_settings(cls, settings: Settings, *, sync_all: bool = False) -> MediaOptions:
        """Return the configured options. Raises SettingsError if JWP_DEFAULT_ACL cannot be read."""
        default_acl, problems = parse_acl(settings.default_acl)
        if problems:
            raise SettingsError(
                f"JWP_DEFAULT_ACL cannot be read: {'; '.join(problems)}. "
                "Set it to a comma list of WORLD, CAM, INST_x, GROUP_x and USER_x, or to NOBODY."
            )
        strict = settings.jwp_create_items == "all" if settings.jwp_strict_acls is None else settings.jwp_strict_acls
        return cls(settings.jwp_create_items, default_acl, strict, sync_all, settings.jwp_sync_items)
