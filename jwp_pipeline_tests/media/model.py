"""A model of what a sync does with a library, written from the contract (semantics §2-§6) and not from the SQL.

The library consists of Resources, whose values include what they mean, so that nothing has to be parsed here.
`Model.sync` goes from one state to the next, and `Model.state` returns it in the form of `state.read_state`. The values
are in values.py, and the random libraries in test_model.py.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from jwp_pipeline_tests.media.state import NOW
from jwp_pipeline_tests.media.values import KEEP, NOBODY, permission

NAMES = ("crsids", "lookup_groups", "lookup_insts")
TITLES = {"title": "", "description": ""}
DEFAULTS = {
    **TITLES,
    "type": "unknown",
    "duration": 0.0,
    "downloadable": False,
    "language": "",
    "copyright": "",
    "tags": [],
    "published_at": NOW,
}


@dataclass
class Item:
    fields: dict[str, Any] = field(default_factory=lambda: deepcopy(DEFAULTS))
    view: dict[str, Any] | None = None
    deleted: bool = False
    """Whether the sync deleted it."""
    withdrawn: bool = False
    """Whether somebody here deleted it."""
    claim: int | None = None
    """The SMS id that it had when it was last synchronised, even if another item owns that id."""
    sms_time: str | None = None

    @property
    def live(self):
        return not (self.deleted or self.withdrawn)


@dataclass
class Video:
    updated: int = 0
    item: Item | None = None
    deleted: bool = False
    had_acl: bool = False
    acl: str = "absent"
    """`absent`, `read`, `unreadable`, or `vanished`."""


@dataclass
class Channel:
    billing_account: str
    fields: dict[str, Any] = field(default_factory=lambda: dict(TITLES))
    edit: dict[str, Any] | None = None
    deleted: bool = False
    claim: int | None = None
    sms_time: str | None = None
    lists: tuple[str, tuple[Any, ...]] = ("nothing", ())
    """`ids` with SMS ids, or `members` with video keys."""


@dataclass
class Model:
    default_acl: dict[str, Any]
    api: str
    videos: dict[str, Video] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    playlists: dict[str, tuple[dict[str, Any], bool]] = field(default_factory=dict)
    """What each playlist shows and whether it is deleted, by the key of its channel."""
    cached: dict[str, dict[str, str]] = field(default_factory=lambda: {"video": {}, "channel": {}})
    problems: set[tuple[str, str, str, str]] = field(default_factory=set)

    def sync(self, videos, channels, *, create_items, strict, sync_all=False):
        """Sync a library, given as {key: Resource}. A channel's Value `members` holds its own members."""
        self.sync_videos(videos, create_items=create_items, strict=strict, sync_all=sync_all)
        self._cache("channel", channels)
        for key, resource in channels.items():
            if key not in self.channels:
                instid = resource.read("sms_instid", "")
                self.channels[key] = Channel("" if instid is KEEP else instid)
            self._channel(self.channels[key], resource)
        for key, channel in self.channels.items():
            channel.deleted = key not in channels
        wanted = self._playlists(create_items)
        self.playlists |= {key: (content, key not in wanted) for key, (content, _) in self.playlists.items()}
        self.playlists |= {key: (content, False) for key, content in wanted.items()}
        self.problems = self._problems(videos, channels)

    def sync_videos(self, videos, *, create_items, strict, sync_all=False):
        """Sync a listing with the videos and their items. `strict` is JWP_STRICT_ACLS, None if it is not set."""
        strict = create_items == "all" if strict is None else strict
        self._cache("video", videos)
        for key, resource in videos.items():
            self._video(self.videos.setdefault(key, Video()), resource, create_items, strict, sync_all)
        for key, video in self.videos.items():
            if key not in videos:
                video.deleted = True
                if video.item and not video.item.withdrawn:
                    video.item.deleted = True

    def withdraw(self, key):
        """Delete the item as somebody here would. Returns False if there is none to delete."""
        item = key in self.videos and self.videos[key].item
        if item and item.live:
            item.withdrawn = True
            return True
        return False

    def undelete(self, key):
        """Undelete the item as somebody here would. Returns whether it was withdrawn."""
        item = key in self.videos and self.videos[key].item
        if item and item.withdrawn:
            item.withdrawn = False
            return True
        return False

    def permit(self, key, view):
        """Change who may view the item, as somebody here would."""
        item = key in self.videos and self.videos[key].item
        if item:
            item.view = view

    def _cache(self, kind, listed):
        self.cached[kind] = dict.fromkeys(self.cached[kind], "deleted") | dict.fromkeys(listed, "live")

    def _video(self, video, resource, create_items, strict, sync_all):
        listed = resource.read("updated", 0)
        returned, video.deleted = video.deleted, False
        stamp = video.updated if listed is KEEP else listed
        self._acl(video, resource, strict)
        if video.item is None:
            video.updated = stamp if returned else max(stamp, video.updated)
            if create_items == "all" or isinstance(resource.read("sms_media_id", None), int):
                video.item = Item()
                self._synchronise(video, resource, create_items)
        elif returned:
            video.updated = stamp
            self._synchronise(video, resource, create_items)
        elif stamp > video.updated or sync_all:
            video.updated = max(stamp, video.updated)
            self._synchronise(video, resource, create_items)
        elif strict or video.acl == "unreadable":
            video.item.view = in_common(video.item.view, self._view(video, resource))

    def _acl(self, video, resource, strict):
        """Find out whether there is an ACL, and whether a missing one has vanished (semantics §4.3)."""
        listed = resource.read("sms_acl", None)
        if listed is not None:
            video.acl = "unreadable" if listed is KEEP else "read"
            video.had_acl = True
            return
        had_id = video.item is not None and video.item.claim is not None
        with_all_else = resource.read("sms_media_id", None) is None and (had_id or not resource.has_properties())
        if video.acl in ("unreadable", "vanished") or (video.had_acl and (strict or with_all_else)):
            video.acl = "vanished"
        else:
            video.acl = "absent"

    def _view(self, video, resource):
        """Return who may view the item once it is due."""
        if video.acl == "vanished":
            return video.item.view or NOBODY
        return NOBODY if video.acl == "unreadable" else resource.read("sms_acl", self.default_acl)

    def _synchronise(self, video, resource, create_items):
        item = video.item
        item.deleted = False
        listed = {
            "title": resource.read("title", ""),
            "description": resource.read("description", ""),
            "type": resource.read("mediatype", "unknown"),
            "duration": resource.read("duration", 0.0),
            "downloadable": resource.read("sms_downloadable", False),
            "language": resource.read("sms_language", ""),
            "copyright": resource.read("sms_copyright", ""),
            "tags": resource.read("sms_keywords", []),
            "published_at": resource.read("date", KEEP),
        }
        if create_items == "all" and not resource.has("sms_keywords") and "custom" not in resource:
            listed["tags"] = resource.read("tags", [])
        item.fields |= {name: value for name, value in listed.items() if value is not KEEP}
        item.view = self._view(video, resource)
        claim = resource.read("sms_media_id", None)
        if claim is not KEEP:
            item.claim = claim
            item.sms_time = kept(resource.read("sms_last_updated_at", None), item.sms_time)

    def _channel(self, channel, resource):
        listed = {name: resource.read(name, "") for name in TITLES}
        channel.fields |= {name: value for name, value in listed.items() if value is not KEEP}
        creator, group = resource.read("sms_created_by", ""), resource.read("sms_groupid", "")
        channel.edit = permission(
            crsids=[creator] if creator not in ("", KEEP) else (),
            lookup_groups=[group] if group not in ("", KEEP) else (),
        )
        channel.claim = kept(resource.read("sms_collection_id", None), channel.claim)
        channel.sms_time = kept(resource.read("sms_last_updated_at", None), channel.sms_time)
        ids = resource.read("sms_collection_media_ids", None)
        if isinstance(ids, tuple):
            channel.lists = ("ids", ids)
        elif ids is None:
            channel.lists = ("members", resource.read("members", ())) if self.api == "v2" else ("nothing", ())

    # --- What follows from all resources together ----------------------------------------------------------

    def live_items(self):
        return {key: video.item for key, video in self.videos.items() if video.item and video.item.live}

    def live_channels(self):
        return {key: channel for key, channel in self.channels.items() if not channel.deleted}

    def sms_owners(self):
        """Return SMS id → key of the video that owns it."""
        claims = [(item.fields["type"] != "video", key, item.claim) for key, item in self.live_items().items()]
        return {claim: key for _, key, claim in sorted(claims, reverse=True, key=lambda c: c[:2]) if claim is not None}

    def collection_owners(self):
        """Return SMS collection id → key of the channel that owns it."""
        return {
            channel.claim: key
            for key, channel in sorted(self.live_channels().items(), reverse=True)
            if channel.claim is not None
        }

    def listed_by(self, channel):
        """Return the keys of the live items that a channel lists, in its order and with duplicates."""
        kind, entries = channel.lists
        owners = self.sms_owners()
        keys = [owners.get(entry) for entry in entries] if kind == "ids" else entries
        return [key for key in keys if key in self.live_items()]

    def item_owners(self):
        """Return key of a listed item → key of the channel that it belongs to."""
        return {
            item: key
            for key, channel in sorted(self.live_channels().items(), reverse=True)
            for item in self.listed_by(channel)
        }

    def _playlists(self, create_items):
        owners = self.collection_owners()
        return {
            key: {**channel.fields, "media_items": self.listed_by(channel)}
            for key, channel in self.live_channels().items()
            if create_items == "all" or owners.get(channel.claim) == key
        }

    def _problems(self, videos, channels):
        """Return (stage, type, key, field) of each open problem."""
        found = {
            ("mapping", kind, key, name)
            for kind, listed in (("video", videos), ("channel", channels))
            for key, resource in listed.items()
            for name in resource.problems()
        }
        found |= {
            ("permission", "video", key, "sms_acl")
            for key, video in self.videos.items()
            if video.acl == "vanished" and video.item and not video.deleted
        }
        owners, collections, item_owners = self.sms_owners(), self.collection_owners(), self.item_owners()
        for key, item in self.live_items().items():
            if item.claim is not None and owners[item.claim] != key:
                found.add(("ownership", "video", key, "sms_media_id"))
        for key, channel in self.live_channels().items():
            if channel.claim is not None and collections[channel.claim] != key:
                found.add(("ownership", "channel", key, "sms_collection_id"))
            if any(item_owners[item] != key for item in self.listed_by(channel)):
                found.add(("ownership", "channel", key, "items"))
        return found

    def state(self):
        owners, collections, item_owners = self.sms_owners(), self.collection_owners(), self.item_owners()
        items = {key: {"deleted": True} for key, video in self.videos.items() if video.item}
        for key, item in self.live_items().items():
            owns = item.claim is not None and owners[item.claim] == key
            items[key] = {
                "deleted": False,
                **item.fields,
                "view": item.view,
                "channel": item_owners.get(key),
                "sms_media_id": item.claim if owns else None,
                "sms_last_updated_at": item.sms_time if owns else None,
            }
        channels = {key: {"deleted": True} for key in self.channels}
        for key, channel in self.live_channels().items():
            owns = channel.claim is not None and collections[channel.claim] == key
            playlist, no_playlist = self.playlists.get(key, (None, True))
            channels[key] = {
                "deleted": False,
                **channel.fields,
                "billing_account": channel.billing_account,
                "edit": channel.edit,
                "items": sorted(item for item, owner in item_owners.items() if owner == key),
                "sms_collection_id": channel.claim if owns else None,
                "sms_last_updated_at": channel.sms_time if owns else None,
                "playlist": None if no_playlist else playlist,
            }
        return deepcopy(
            {
                "cached": self.cached,
                "videos": {key: video.updated for key, video in self.videos.items() if not video.deleted},
                "media_items": items,
                "channels": channels,
            }
        )

    def contents(self):
        """Return (table, JWP key) → the content that makes the row's `updated_at` move, and whether it is deleted."""
        items = {key: video.item for key, video in self.videos.items() if video.item}
        return deepcopy(
            {("media_items", key): ((item.fields, item.view), not item.live) for key, item in items.items()}
            | {("media_channels", key): ((c.fields, c.edit), c.deleted) for key, c in self.channels.items()}
            | {("playlists", key): playlist for key, playlist in self.playlists.items()}
        )


def in_common(view, limit):
    """Return what both grant. If one includes the other, the narrower one is returned unchanged."""
    if includes(limit, view):
        return view
    if includes(view, limit):
        return limit
    named = {}
    for kind in NAMES:
        both = set(view[kind]) & set(limit[kind])
        named[kind] = view[kind] if both == set(view[kind]) else [name for name in limit[kind] if name in both]
    return permission(**named)


def includes(wide, narrow):
    """Return whether `wide` grants all that `narrow` does.

    Everyone includes everyone who is signed in, and that includes everybody who is named.
    """
    if wide["is_public"] or narrow["is_public"]:
        return wide["is_public"]
    if wide["is_signed_in"] or narrow["is_signed_in"]:
        return wide["is_signed_in"]
    return all(set(narrow[kind]) <= set(wide[kind]) for kind in NAMES)


def kept(value, last):
    return last if value is KEEP else value
