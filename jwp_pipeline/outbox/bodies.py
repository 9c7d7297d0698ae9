"""Puts the values of an item together as JW Platform stores them: its fields, custom properties and tags.

Put here what an edit means in JW Platform's terms (semantics §8, "Body"). The clients write it as v1's or v2's request.
The functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.jwplatform.writing import VideoEdit
from jwp_pipeline.outbox.fields import FIELDS, Value
from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class SiteMark:
    """How videos at JW Platform show which site of ours, and which of its items, they belong to."""

    domain: str
    name: str

    @classmethod
    def from_settings(cls, settings: Settings) -> SiteMark:
        """Return the mark that is configured. Raises SettingsError."""
        missing = [name for name in ("JWP_SITE_DOMAIN", "JWP_SITE_NAME") if not getattr(settings, name.lower())]
        if missing:
            raise SettingsError(
                f"Edits cannot be pushed, because {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not "
                "set: each video that is written to gets the domain and the name of the site that it belongs to. Set "
                "them, for example to media.example.org and Example Media. The edits wait until then."
            )
        return cls(settings.jwp_site_domain or "", settings.jwp_site_name or "")

    @property
    def tag(self) -> str:
        """The tag of all videos of the site."""
        return f"sitedomain:{self.domain}"

    @property
    def media_id(self) -> str:
        """The name of the custom property that holds the id of the item."""
        return f"{self._prefix}.media_id"

    def properties(self, item_id: str) -> dict[str, str]:
        """Return the custom properties that mark a video as that of an item."""
        return {f"{self._prefix}.name": self.name, self.media_id: item_id}

    @property
    def _prefix(self) -> str:
        # A dot would nest the property.
        return f"site.{self.domain.replace('.', '_')}"


def video_edit(values: Mapping[str, Value], item_id: str, site: SiteMark) -> VideoEdit:
    """Return the edit that stores `values`, by field name, in the video of an item. The values must be sendable."""
    custom = {}
    for name, value in values.items():
        if stored := FIELDS[name].property:
            custom_name, write = stored
            custom[custom_name] = write(value)
    return VideoEdit(
        title=values.get("title"),
        description=values.get("description"),
        published_at=values.get("published_at"),
        custom=custom | site.properties(item_id),
        add_tags=(site.tag,),
    )
