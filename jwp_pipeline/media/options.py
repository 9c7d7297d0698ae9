"""How the media side behaves; from the settings of the same names, and what one run asks for."""

from __future__ import annotations

from dataclasses import dataclass

from jwp_pipeline.access.acl import Permission, parse_acl
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.media.mapping import CreateItems
from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """Which items are made, who may see a video without an ACL, and whether all are synchronised."""

    create_items: CreateItems
    default_acl: Permission
    sync_all: bool = False

    @classmethod
    def from_settings(cls, settings: Settings, *, sync_all: bool = False) -> MediaOptions:
        """The configured behaviour. Raises SettingsError for a JWP_DEFAULT_ACL that cannot be read."""
        default_acl, problems = parse_acl(settings.jwp_default_acl)
        if problems:
            raise SettingsError(
                f"JWP_DEFAULT_ACL cannot be read: {'; '.join(problems)}. "
                "Set it to a comma list of WORLD, CAM, INST_x, GROUP_x and USER_x."
            )
        return cls(settings.jwp_create_items, default_acl, sync_all)
