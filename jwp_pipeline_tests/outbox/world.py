"""A record and a JW Platform that are both edited, and what may never happen to them whatever comes in which order.

`World` has a method for each thing that happens, and each is followed by `check`. test_model.py puts them in order.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline.jwplatform.connect import connect_writing
from jwp_pipeline.media.mapping import map_video
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline.outbox import Outbox, create_item, read_outbox, resolve
from jwp_pipeline.outbox.fields import FIELDS, listed_value
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.record import Person
from jwp_pipeline.simulator.properties import flat_properties
from jwp_pipeline_tests.outbox.choices import HERE, UNSENDABLE, audience, view
from jwp_pipeline_tests.outbox.killed import Doomed, killed_at
from jwp_pipeline_tests.outbox.site import DOMAIN
from jwp_pipeline_tests.support import rows, video

VIEW = "view_permission"
MARK = f"site.{DOMAIN.replace('.', '_')}.media_id"
TAG = f"sitedomain:{DOMAIN}"
KEYS = ("video001", "video002", "video003")
TIME = 200
"""Seconds that pass between two tries. JW Platform's index lags by less."""


@dataclass
class Written:
    """What somebody wrote here last, until it is known what became of it."""

    here: Any
    sent: Any
    replaces: list[Any]
    """The values at JW Platform that it may overwrite: the one that was here before, and earlier edits of it."""
    arrived: bool = False
    """Whether JW Platform has had it."""

    @property
    def is_taken_back(self):
        """Whether it may be what was here before anybody edited it, so that JW Platform's value is kept."""
        return self.here in self.replaces or self.sent in self.replaces


@dataclass
class Item:
    id: str
    fields: dict[str, Any]
    live: bool
    key: str | None


class World:
    def __init__(self, jwp, api, clock, *, create_items, strict):
        self.jwp, self.engine, self.library, self.api, self.clock = jwp, jwp.engine, jwp.library, api, clock
        changes = {"jwp_create_items": create_items, "jwp_strict_acls": strict}
        self.settings = jwp.effective().model_copy(update=changes)
        self.media = MediaOptions.from_settings(self.settings)
        self.written: dict[tuple[str, str], Written] = {}
        self.granted: dict[str, set[str]] = {}
        """Key of a video → who could view it at JW Platform at some time since the last fresh listing."""
        self.pushed: dict[tuple[str, str], Any] = {}
        """What was pushed, and cannot be undone by a listing from before."""
        self.made: list[str] = []
        for number, key in enumerate(KEYS, start=1):
            properties = {"sms_acl": "acl:USER_abc:", "sms_media_id": f"media:{number}:", "other": "stays"}
            fields = {"tags": "alpha, beta", "description": "Old", "date": 1_600_000_000, "author": "Other"}
            self.library.put("video", video(key, updated=1_700_000_000, custom=properties, **fields))
        self.listings = [self._listed()]
        self.sync()

    # --- What happens here ---

    def edit(self, numbers, choices):
        """Somebody writes the same values to some items, in one statement."""
        items = [item for item in self._some(numbers) if item.live]
        columns = {column: value for choice in choices.values() for column, value in choice.columns.items()}
        casts = {"published_at": "CAST(:published_at AS timestamptz)"}
        assignments = ", ".join(f"{name} = {casts.get(name, f':{name}')}" for name in columns)
        place = {"ids": [item.id for item in items]}
        self.jwp.execute(f"UPDATE media_items SET {assignments} WHERE id = ANY(:ids)", **columns, **place)
        for item in items:
            for field, choice in choices.items():
                if item.fields[field] != choice.here:
                    before = self.written.get((item.id, field))
                    replaces = [*before.replaces, before.sent] if before else [item.fields[field]]
                    self.written[item.id, field] = Written(choice.here, choice.sent, replaces)
                    self.pushed.pop((item.id, field), None)

    def make(self, choices, *, plainly):
        """Somebody makes an item."""
        columns = {column: value for choice in choices.values() for column, value in choice.columns.items()}
        columns["published_at"] = "2024-05-06 07:08:09+00"
        if plainly:
            values = {"id": f"plain{len(self.made)}", "title": "Plain", "description": "", "type": "unknown"}
            values |= {"duration": 0, "language": "", "copyright": ""} | columns
            names = ", ".join(values)
            self.jwp.execute(
                f"INSERT INTO media_items ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values
            )
            item_id = values["id"]
        else:
            with Session(self.engine) as session:
                item_id = create_item(session, **{"title": "Made", "created_by": Person("abc")} | columns).id
                session.commit()
        self.made.append(item_id)
        made = {name: Written(value, value, []) for name, value in self._items()[item_id].fields.items()}
        # What JW Platform cannot store is left empty in the new video, and what is edited later replaces that.
        made |= {
            field: Written(choice.here, choice.sent, _left_empty(field, choice)) for field, choice in choices.items()
        }
        self.written |= {(item_id, field): written for field, written in made.items() if field != "published_at"}

    def withdraw(self, number, back):
        """Somebody withdraws an item, or takes that back."""
        where = "deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM videos WHERE media_item_id = media_items.id"
        condition = f"{where} AND item_deleted_at = media_items.deleted_at)" if back else "deleted_at IS NULL"
        moment = "NULL" if back else "clock_timestamp()"
        for item in self._some([number]):
            self.jwp.execute(f"UPDATE media_items SET deleted_at = {moment} WHERE id = :id AND {condition}", id=item.id)

    def decide(self, side):
        """Somebody decides about the first field that is stuck."""
        stuck = rows(
            self.engine,
            "SELECT media_item_id, field, theirs FROM item_updates WHERE state IN ('conflict', 'refused')"
            " ORDER BY edit_number LIMIT 1",
        )
        for item_id, field, theirs in stuck:
            written = self.written.get((item_id, field))
            side = "theirs" if written and written.sent is UNSENDABLE else side
            with Session(self.engine) as session:
                resolve(session, item_id, field, side)
                session.commit()
            if side == "theirs":
                self.written.pop((item_id, field), None)
            elif theirs is not None and written:
                written.replaces.append(_as_postgres(theirs))

    # --- What happens at JW Platform ---

    def change(self, number, changes):
        """Somebody changes a video at JW Platform."""
        key = KEYS[number % len(KEYS)]
        if key not in self.library.keys("video"):
            return
        before = self.library.get("video", key)
        custom = dict(before["custom"])
        fields = {}
        for name, value in changes.items():
            place = custom if name.startswith("sms_") or name == "other" else fields
            if value is None:
                place.pop(name, None)
            else:
                place[name] = value
        gone = [name for name, value in changes.items() if value is None]
        kept = {name: value for name, value in before.items() if name not in gone}
        self.library.put("video", {**kept, **fields, "custom": custom, "updated": self.library.now()})
        self._note_granted()
        self._expect_anything(key)

    def delete(self, number, back):
        key = KEYS[number % len(KEYS)]
        exists = key in self.library.keys("video")
        self._expect_anything(key)
        if exists and not back:
            self.library.remove("video", key)
        elif not exists and back:
            self.library.restore("video", key)
            self._note_granted()

    # --- What the pipeline does ---

    def remember_listing(self):
        self.listings.append(self._listed())

    def sync(self, listing=None, **options):
        """Sync the present listing, or one from earlier."""
        listed = self._listed() if listing is None else self.listings[listing % len(self.listings)]
        name = {"v1": "key", "v2": "id"}[self.api]
        if listing is None:
            # After an ACL has vanished, the permission stays as it was.
            stays = {item.key: audience(item.fields[VIEW]) for item in self._items().values() if item.key is not None}
            self.granted = {key: stays[key] for key in stays if self._has_no_acl(key)}
            self.pushed = {}
        else:
            for key in {item.key for item in self._items().values()} - {each[name] for each in listed}:
                self._expect_anything(key)
            # No listing has shown these yet, and so none of them is missing.
            unlisted = rows(self.engine, "SELECT data FROM cached_resources WHERE pushed_at IS NOT NULL")
            listed = [*listed, *(row.data for row in unlisted if row.data[name] not in {each[name] for each in listed})]
            for each in listed:
                self._grant(each[name], each)
        self._note_granted()
        before = self._outbox(with_new=False)
        with Session(self.engine) as session, session.begin():
            set_resources(session, listed, "video")
        self.jwp.follow("media_items", **self._options(**options))
        assert self._outbox(with_new=False) == before

    def push(self, policy="ask", kill=None, fault=None):
        """Push what is due, and perhaps be killed at a step."""
        if fault is not None:
            route, what = fault
            self.jwp.simulator.faults.add(what, route=route, times=1)
        before = {record.key: record.source for record in self.library.records("video")}
        wanted = self._wanted()
        options = PushOptions.from_settings(self.settings.model_copy(update={"jwp_conflict": policy}))
        try:
            with killed_at(self.engine, kill) as countdown:
                push(self.engine, lambda: Doomed(connect_writing(self.settings), countdown), options=options)
        except JWPlatformError:
            pass
        self.jwp.simulator.faults.clear()
        self._check_pushed(before, wanted, policy)
        self._note_granted()
        self._settle(policy)

    def pass_time(self):
        """Let everything that waits for another try be due."""
        self.clock.seconds += TIME
        for table, columns in (("item_updates", ["next_try_at"]), ("item_creations", ["next_try_at", "searched_at"])):
            earlier = ", ".join(f"{column} = {column} - interval '{TIME} seconds'" for column in columns)
            self.jwp.execute(f"UPDATE {table} SET {earlier}")
        self.jwp.execute("UPDATE item_updates SET next_try_at = now() WHERE next_try_at IS NOT NULL")

    # --- What holds at any time ---

    def check(self):
        items = self._items()
        edits = self._edits()
        marked = self._marked()
        assert all(len(keys) == 1 for keys in marked.values()), "a video was created twice"
        for (item_id, field), written in list(self.written.items()):
            item, edit = items[item_id], edits.get((item_id, field))
            there = self._there(item.key or next(iter(marked.get(item_id, [])), None), field)
            written.arrived |= written.sent is not UNSENDABLE and there == written.sent
            if edit is None or edit.state == "pushed":
                is_made = item.key is None and item.fields[field] == written.here
                gives_way = written.is_taken_back and item.fields[field] == there
                assert written.arrived or is_made or gives_way, f"{field} vanished: {written}"
                if not is_made:
                    self._close(item_id, field, pushed=edit is not None)
            else:
                assert edit.ours in (written.here, written.sent), f"{field} is {edit.ours}"
                assert edit.state == "waiting" or edit.problem
                assert field == VIEW or item.fields[field] in (written.here, written.sent)
        for (item_id, field), value in self.pushed.items():
            assert items[item_id].fields[field] == value, f"{field} was undone"
        for item in items.values():
            self._check_view(item, edits.get((item.id, VIEW)))

    def _check_view(self, item, edit):
        may_view = audience(item.fields[VIEW])
        written = self.written.get((item.id, VIEW))
        if edit is not None and edit.state in ("conflict", "refused"):
            assert may_view <= audience(edit.ours) & (set() if edit.theirs is None else audience(edit.theirs))
        elif written is not None:
            assert may_view <= audience(written.here)
        elif item.live and item.key is not None:
            assert may_view <= self.granted.get(item.key, set())

    def _check_pushed(self, before, wanted, policy):
        """Assert that nothing was pushed but what was edited here, in the form in which it reads back."""
        for record in self.library.records("video"):
            old, new = before.get(record.key), record.source
            if old is None:
                continue
            changes = wanted.get(record.key, {})
            for field in HERE:
                was, is_now = self._read(old, field), self._read(new, field)
                if was != is_now:
                    assert is_now == changes[field].sent, f"{field} of {record.key}: {was} → {is_now}"
                    assert policy == "ours" or was is None or was in changes[field].replaces, f"{was} was overwritten"
            ours = {"title", "description", "date", "custom", "tags", "updated"}
            assert {n: v for n, v in old.items() if n not in ours} == {n: v for n, v in new.items() if n not in ours}
            assert _tags(new) in (_tags(old), [*_tags(old), TAG])
            kept = {name: value for name, value in old["custom"].items() if not name.startswith(("sms_", "site"))}
            assert kept.items() <= new["custom"].items()
            assert old["custom"].get("sms_media_id") == new["custom"].get("sms_media_id")

    def assert_settled(self):
        """Assert that both sides are equal, that nothing is stuck, and that there is nothing left to do."""
        for number in range(10):
            self.pass_time()
            self.sync()
            self.push()
            self.check()
            with self.engine.connect() as connection:
                now = read_outbox(connection)
            if now == Outbox(0, 0, 0, None):
                break
            for _ in range(now.conflicts + now.refused):
                self.decide(("ours", "theirs")[number % 2])
            self._mend_new_items()
        self.sync()
        self.check()
        for item in self._items().values():
            if item.live:
                assert item.key is not None
                there = {field: self._there(item.key, field) for field in HERE}
                assert {f: v for f, v in item.fields.items() if there[f] is not None} == {
                    f: v for f, v in there.items() if v is not None
                }
                assert not [field for item_id, field in self.written if item_id == item.id]
        written = self._rows()
        self.sync()
        self.push()
        assert self._rows() == written

    # --- Inside ---

    def _mend_new_items(self):
        """Somebody edits what JW Platform refuses of new items."""
        refused = {
            row.media_item_id for row in rows(self.engine, "SELECT * FROM item_creations WHERE state = 'refused'")
        }
        for number, item in enumerate(self._items().values()):
            bad = [field for field in HERE if self._is_unsendable(item.id, field)]
            if item.id in refused and bad:
                self.edit([number], {field: HERE[field][0] for field in bad})
            elif item.id in refused:
                with self.engine.begin() as connection:
                    resolve(connection, item.id, "video", "ours")

    def _is_unsendable(self, item_id, field):
        return (item_id, field) in self.written and self.written[item_id, field].sent is UNSENDABLE

    def _settle(self, policy):
        """Forget what a push gave up for JW Platform's value, if its policy was to do so."""
        if policy != "theirs":
            return
        edits, items = self._edits(), self._items()
        for item_id, field in list(self.written):
            item = items[item_id]
            if item.key is not None and (item_id, field) not in edits and item_id not in self.made:
                there = self._there(item.key, field)
                if there is None or item.fields[field] == there:
                    self._close(item_id, field)

    def _expect_anything(self, key):
        """Any listing may bring something else for the item of this video now."""
        keys = {item.id: item.key for item in self._items().values()}
        self.pushed = {place: value for place, value in self.pushed.items() if keys[place[0]] != key}

    def _close(self, item_id, field, *, pushed=False):
        written = self.written.pop((item_id, field))
        if pushed:
            self.pushed[item_id, field] = written.sent
        key = self._items()[item_id].key
        if field == VIEW and key is not None:
            self.granted[key] = self.granted.get(key, set()) | audience(written.here)

    def _wanted(self):
        """Return key → field → what a push may write there."""
        wanted = {}
        keys = {item_id: next(iter(keys)) for item_id, keys in self._marked().items()}
        keys |= {item.id: item.key for item in self._items().values() if item.key}
        for (item_id, field), written in self.written.items():
            if item_id in keys:
                wanted.setdefault(keys[item_id], {})[field] = written
        return wanted

    def _items(self):
        found = rows(
            self.engine,
            "SELECT item.id, pushed_fields(item) AS fields, item.deleted_at IS NULL AS live, videos.key"
            " FROM media_items AS item LEFT JOIN videos ON videos.media_item_id = item.id ORDER BY videos.key, item.id",
        )
        return {row.id: Item(row.id, _without_nulls(row.fields), row.live, row.key) for row in found}

    def _some(self, numbers):
        items = list(self._items().values())
        return [items[number] for number in sorted({number % len(items) for number in numbers})]

    def _edits(self):
        found = rows(
            self.engine,
            "SELECT edited.*, coalesce(edited.ours, pushed_fields(item) -> field) AS ours_now"
            " FROM item_updates AS edited JOIN media_items AS item ON item.id = edited.media_item_id",
        )
        return {
            (row.media_item_id, row.field): Edit(row.state, _without_nulls(row.ours_now), row.theirs, row.problem)
            for row in found
        }

    def _outbox(self, *, with_new):
        found = rows(
            self.engine,
            "SELECT edited.media_item_id, field, edit_number, edited.state FROM item_updates AS edited"
            " LEFT JOIN item_creations AS creation USING (media_item_id)"
            " WHERE :with_new OR coalesce(creation.state, 'created') = 'created' ORDER BY 1, 2",
            with_new=with_new,
        )
        made = rows(self.engine, "SELECT count(*) FROM item_creations")
        return found, made

    def _marked(self):
        """Return item → keys of the videos at JW Platform that carry its mark."""
        marked = {}
        for record in self.library.records("video"):
            item_id = flat_properties(record.source["custom"]).get(MARK)
            if item_id is not None:
                marked.setdefault(item_id, []).append(record.key)
        return marked

    def _listed(self):
        return [json.loads(record.json(self.api)) for record in self.library.records("video")]

    def _there(self, key, field):
        record = None if key is None else self.library.record("video", key)
        return None if record is None else self._read(record.source, field)

    def _map(self, source):
        options = {"default_acl": self.media.default_acl, "create_items": self.media.create_items}
        return map_video(source, key="", **options)

    def _read(self, source, field):
        """Return the JSON of what a video says of a field; None if it says nothing that can be read."""
        fields = self._map(source)
        if field == VIEW and fields.acl_state == "absent" and self.media.strict_acls:
            return None
        value = listed_value(field, fields)
        return None if value is None else _as_postgres(FIELDS[field].encode(value))

    def _has_no_acl(self, key):
        record = self.library.record("video", key)
        return record is not None and self.media.strict_acls and self._map(record.source).acl_state == "absent"

    def _grant(self, key, source):
        may_view = self._read(source, VIEW)
        if may_view is None and not self.media.strict_acls:
            may_view = view()
        self.granted[key] = self.granted.get(key, set()) | audience(may_view or view())

    def _note_granted(self):
        for record in self.library.records("video"):
            self._grant(record.key, record.source)

    def _options(self, *, sync_all=False):
        return {
            "create_items": self.media.create_items,
            "strict_acls": self.settings.jwp_strict_acls,
            "sync_all": sync_all,
        }

    def _rows(self):
        tables = ("videos", "media_items", "item_updates", "item_creations", "sms_media_items")
        return {
            table: rows(self.engine, f"SELECT ctid::text, xmin::text, xmax::text FROM {table} ORDER BY 1")
            for table in tables
        }


@dataclass
class Edit:
    state: str
    ours: Any
    theirs: Any
    problem: str | None


def _left_empty(field, choice):
    empty = FIELDS[field].empty if choice.sent is UNSENDABLE else None
    return [] if empty is None else [FIELDS[field].encode(empty)]


def _without_nulls(value):
    """Return JSON with empty texts in place of the nulls of lists."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items()}
    return [each or "" for each in value] if isinstance(value, list) else value


def _as_postgres(value):
    """Return JSON with times as PostgreSQL writes them, without zeros at the end of the fraction."""
    return re.sub(r"(\.\d*?)0+\+00:00$", r"\1+00:00", value) if isinstance(value, str) else value


def _tags(source):
    return [tag for part in (source.get("tags") or "").split(",") if (tag := part.strip())]


class Clock:
    """JW Platform's clock: it stands still unless it is moved."""

    seconds = 1_800_000_000.0

    def __call__(self):
        return self.seconds

    def tick(self):
        self.seconds += 2
