"""Says what delivery offers of one video: its posters, renditions, sources and manifest, with URLs that work."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

from jwp_pipeline.simulator.clips import Clip, audio_clip, video_clip
from jwp_pipeline.simulator.delivery_signature import signed
from jwp_pipeline.simulator.posters import WIDTHS, Card

LONGEST = 6 * 3600.0
"""No clip is longer than so many seconds, whatever a malformed video says."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file of a video, as its source announces it. Sizes are in pixels."""

    template: str
    extension: str
    mime_type: str
    label: str
    width: int | None = None
    height: int | None = None


VIDEO_RENDITIONS = tuple(
    Rendition(f"{height}p", "mp4", "video/mp4", f"H.264 {width}px", width, height)
    for width, height in ((320, 180), (568, 320), (854, 480), (1280, 720), (1920, 1080))
)
AUDIO_RENDITIONS = (Rendition("audio", "m4a", "audio/mp4", "AAC Audio"),)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A v1 video as delivery serves it at `origin`. With a secret, the URLs of its content are signed."""

    key: str
    video: dict[str, Any]
    origin: str
    secret: str | None

    @property
    def is_audio(self) -> bool:
        """Whether it has sound only."""
        return self.video.get("mediatype") == "audio"

    @property
    def title(self) -> str:
        """The title for people; empty if it has none."""
        return _text(self.video.get("title"))

    @property
    def card(self) -> Card:
        """What its poster shows."""
        return Card(self.key, self.title, _text(self.video.get("author")), is_audio=self.is_audio)

    @property
    def seconds(self) -> float:
        """How long it is; one second if it does not say."""
        try:
            seconds = float(self.video.get("duration") or 0)
        except (TypeError, ValueError):
            seconds = 0.0
        return min(seconds, LONGEST) if seconds > 0 else 1.0

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        """Its files, the smallest first."""
        return AUDIO_RENDITIONS if self.is_audio else VIDEO_RENDITIONS

    def rendition(self, template: str, extension: str) -> Rendition | None:
        """Return the file with this name, if there is one."""
        wanted = (template, extension)
        return next((each for each in self.renditions if (each.template, each.extension) == wanted), None)

    def clip(self) -> Clip:
        """Return what all its files hold."""
        return audio_clip(self.seconds) if self.is_audio else video_clip(self.card, self.seconds)

    def poster(self, width: int = 720) -> str:
        """Return the URL of its poster."""
        return f"{self.origin}/thumbs/{self.key}-{width}.jpg"

    def sources(self) -> list[dict[str, Any]]:
        """Return where it plays, the manifest first."""
        files = [
            {
                "file": self._url(f"/videos/{self.key}-{each.template}.{each.extension}"),
                "type": each.mime_type,
                "label": each.label,
                **({} if each.width is None else {"width": each.width, "height": each.height}),
            }
            for each in self.renditions
        ]
        if self.is_audio:
            return files
        largest = self.renditions[-1]
        manifest = {
            "file": self._url(f"/manifests/{self.key}.m3u8"),
            "type": "application/vnd.apple.mpegurl",
            "width": largest.width,
            "height": largest.height,
        }
        return [manifest, *files]

    def manifest(self) -> bytes:
        """Return an HLS playlist of one segment, which is the smallest file without its head."""
        clip, smallest = self.clip(), self.renditions[0]
        url = self._url(f"/videos/{self.key}-{smallest.template}.{smallest.extension}")
        lines = (
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{math.ceil(self.seconds)}",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            f'#EXT-X-MAP:URI="{url}",BYTERANGE="{len(clip.head)}@0"',
            f"#EXTINF:{self.seconds:.3f},",
            f"#EXT-X-BYTERANGE:{len(clip.fragment)}@{len(clip.head)}",
            url,
            "#EXT-X-ENDLIST",
        )
        return ("\n".join(lines) + "\n").encode()

    def answer(self) -> dict[str, Any]:
        """Return what `/v2/media` says. Custom properties stand among the members of the playlist's item."""
        video = self.video
        custom = video.get("custom")
        tags = video.get("tags")
        item = {
            **(custom if isinstance(custom, dict) else {}),
            "mediaid": self.key,
            "title": video.get("title"),
            "description": video.get("description"),
            "pubdate": video.get("date"),
            "tags": ",".join(part.strip() for part in tags.split(",")) if isinstance(tags, str) else tags,
            "image": self.poster(),
            "images": [{"src": self.poster(width), "width": width, "type": "image/jpeg"} for width in WIDTHS],
            "feedid": self.key,
            "link": video.get("link"),
            "duration": round(self.seconds),
            "sources": self.sources(),
            "tracks": [],
            "variations": {},
        }
        return {
            "title": video.get("title"),
            "description": video.get("description"),
            "kind": "Single Item",
            "feed_instance_id": str(uuid.uuid4()),
            "feedid": self.key,
            "playlist": [item],
        }

    def _url(self, path: str) -> str:
        return self.origin + (path if self.secret is None else signed(path, self.secret))


def _text(value: Any) -> str:
    # What cannot be encoded, such as half of a surrogate pair, cannot be drawn either.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
