"""A life: one library and an empty schema, and rounds of changes, faulted runs and a settlement each.

Put here the course of a round. What is drawn comes from one `Random` for each life, so that a life can be replayed.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from jwp_pipeline.database.connection import connect, open_engine
from jwp_pipeline.database.leases import Tolerance, standings
from jwp_pipeline.jwplatform.connect import connect_writing
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.outbox import create_item, resolve
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.record import Person
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Fault, Simulator
from jwp_pipeline.simulator.site import Behaviour
from jwp_pipeline.webhooks import store
from jwp_pipeline_tests.campaign import faults, tables
from jwp_pipeline_tests.campaign.child import Job
from jwp_pipeline_tests.campaign.invariants import ALWAYS, SETTLED, WRITTEN, Scene
from jwp_pipeline_tests.campaign.running import run_command, run_forked, send
from jwp_pipeline_tests.campaign.runs import RUNS
from jwp_pipeline_tests.campaign.twin import differences
from jwp_pipeline_tests.campaign.world import World
from jwp_pipeline_tests.support import client_of, pages_of_at_most, settings_of, sync
from jwp_pipeline_tests.support.site import OPEN_GUARD

OURS, TWIN = "jwp", "twin"
AT_ONCE = Tolerance(silent=-1.0, second_look=0.0)
_LOST = ("cached_resources", "resource_changes", "videos", "media_items", "playlists", "sync_problems")


@dataclass
class Round:
    """What a round was, and what broke in it."""

    life: int
    number: int
    api: str
    through: str
    runs: list[str]
    faults: list
    seconds: float = 0.0
    codes: list[int] = field(default_factory=list)
    done: tuple = ()
    broken: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Life:
    """One life. `campaign` has the server, the relay, the folder and the engines; `through` is how its runs are made."""

    def __init__(self, campaign, number, *, api, through):
        self.campaign, self.number, self.api, self.through = campaign, number, api, through
        self.dice = Random(f"{campaign.seed} {number}")
        self.page_length = self.dice.choice((4, 5, 7, 100))
        self.mode = {"create_items": self.dice.choice(("all", "all", "sms")), "strict_acls": True}
        self.world = World(self.dice, videos=self.dice.randint(11, 22), channels=self.dice.randint(1, 4))
        self.connection = campaign.watching(OURS)
        self.twin = campaign.watching(TWIN)
        self.steps = campaign.steps
        self.stale = {}

    def rounds(self, number, only=None):
        """Yield so many rounds, as they end."""
        behaviour = Behaviour(unstable_ties=self.dice.random() < 0.3, nested_properties=self.dice.random() < 0.3)
        with Simulator(self.world.library, behaviour) as self.simulator, pages_of_at_most(self.page_length):
            self._begin()
            for count in range(1, number + 1):
                yield self._round(count)

    # --- The course of a round ---

    def _begin(self):
        self.campaign.empty()
        (self.campaign.folder / "work").mkdir(exist_ok=True)
        given = settings_of(self.simulator, self.api)
        given |= {f"jwp_{name}": value for name, value in self.mode.items()}
        given |= {"jwp_requests_per_minute": 1_000_000, "jwp_deadline_minutes": 0.01, "jwp_database_schema": OURS}
        given |= {"jwp_home": str(self.campaign.folder / "home"), "jwp_delivery_check_items": 0}
        url = f"{self.campaign.server.elsewhere(self.campaign.relay.port)}?options=-clock_timeout%3D300ms"
        self.given = given | {"jwp_database_url": url}
        self.settings = load_settings(**self.given)
        secrets = [self.simulator.api_secret, self.simulator.v2_secret, self.campaign.password]
        self.scene = Scene(self.world, self.connection, secrets, usual_peak=self.campaign.usual_peak)
        self.client = client_of(self.simulator, self.api, deadline=20.0)
        self._clean_sync()
        self._remember()
        self.world.settled()

    def _round(self, count):
        started = time.monotonic()
        name = self.dice.choices(RUNS, (4, 3, 2, 2, 4))[0]
        self.now = Round(self.number, count, self.api, self.through, [], [])
        try:
            for _ in range(self.dice.choice((1, 2, 3))):
                self._change_things(name)
                self._run_under_faults(name)
                if self.now.broken:
                    break
                name = self.dice.choices(RUNS, (4, 3, 2, 2, 4))[0]
            self._disarm()
            if not self.now.broken:
                self._settle()
        except Exception as error:
            self.now.broken.append(f"the campaign itself failed: {type(error).__name__}: {error}")
            raise
        finally:
            self._disarm()
            self.now.told = list(self.world.told)
            self.now.seconds = time.monotonic() - started
            if not self.now.broken:
                self.world.settled()
                self._remember()
        return self.now

    def _change_things(self, name):
        dice = self.dice
        for _ in range(dice.choice((0, 1, 2, 4)) + (name == "push")):
            self._edit(collide=dice.random() < 0.15)
        # In the other mode, the twin would have no item for a video that was made for one.
        if self.mode["create_items"] == "all" and dice.random() < (0.25 if name == "push" else 0.05):
            self._make_item()
        self.world.happens(dice.choice((0, 1, 2, 3, 6)))
        self._deliver_events()

    def _edit(self, *, collide=False):
        live = self.connection.execute(
            "SELECT key, item.id FROM videos JOIN media_items AS item ON item.id = media_item_id WHERE item.deleted_at IS NULL"
        ).fetchall()
        chosen = self.world.edit({row.key: row.id for row in live}, collide=collide)
        if chosen is not None:
            item_id, columns = chosen
            assignments = ", ".join(f"{column} = %({column})s" for column in columns)
            self.connection.execute(
                f"UPDATE media_items SET {assignments} WHERE id = %(id)s", columns | {"id": item_id}
            )

    def _make_item(self):
        with Session(self.campaign.engine) as session:
            item = create_item(session, title=f"Made {self.world.tick()}", created_by=Person("abc1"))
            self.world.made.append(item.id)
            session.commit()
        self.world.told.append("here: an item is made")

    def _deliver_events(self):
        with connect(self.campaign.engine) as connection, connection.begin():
            for event in self.world.events:
                store.store(connection, event)
        self.world.events.clear()
        self.connection.execute(
            "UPDATE jwp_events SET received_at = received_at - interval '2 seconds' WHERE handled_at IS NULL"
        )

    def _run_under_faults(self, name):
        real = self.through == "jwpfetch"
        usual = self.steps.get((self.through, self.api, name), 120)
        planned = faults.chosen(self.dice, steps=usual, real_process=real, run=name)
        self.now.runs.append(name)
        self.now.faults += planned
        self._look()
        self._arm(planned)
        how = {each.name: each.how for each in planned}
        acts = {each.how["at"]: each.how["act"] for each in planned if "act" in each.how}
        then = how.get("SIGSTOP", {}).get("then", "continue")
        if real:
            ran = self._run_command(name, planned)
        else:
            job = Job(
                name,
                self.through,
                self.given,
                self.page_length,
                acts,
                str(self.campaign.folder / "work"),
                self.campaign.server.url,
                OURS,
            )
            rival = self._start_rival(how["rival"]["run"], job) if "rival" in how else None
            limited = any("limit" in each.name for each in planned)
            ran = run_forked(job, ask=self._answer, is_limited=limited, on_stop=partial(self._stopped, then=then))
            if rival is not None:
                rival()
        self._disarm()
        self._check_dispossessed(ran)
        if not planned and ran.steps:
            self.steps[self.through, self.api, name] = ran.steps
        self.now.codes.append(ran.code)
        self.now.done += ran.done
        self.scene.run = ran
        self._wait_for_sessions()
        self._judge(ALWAYS)
        self.scene.run = None

    def _settle(self):
        """Let everything come right, and see that it has, and that it equals the twin."""
        self._end_leases()
        self._clean_sync()
        if self._outbox_waits():
            for _ in range(10):
                self._clean_push()
                if not self._outbox_waits():
                    break
            self._clean_sync()
        self._handle_events()
        before = self._versions()
        self._clean_sync()
        if (after := self._versions()) != before:
            changed = [table for table in before if before[table] != after[table]]
            self.now.broken.append(f"p3_a_sync_that_finds_nothing_new_writes_nothing: it wrote {changed}")
        self._judge(SETTLED)
        self.campaign.sync_twin(self.simulator, self.api, self.settings)
        self.now.broken += [f"equals_the_twin: {each}" for each in differences(self.connection, self.twin)]

    def _judge(self, invariants):
        for invariant in invariants:
            self.now.broken += [f"{invariant.__name__}: {what}" for what in invariant(self.scene)]

    # --- Faults ---

    def _arm(self, planned):
        for each in planned:
            how = each.how
            if each.layer == "JW Platform":
                self._arm_jwp(each.name, how)
            elif each.name in tables.STATES:
                with self.campaign.saboteur() as connection:
                    tables.fail_at(
                        connection, OURS, how["table"], tables.STATES[each.name], nth=how["nth"], times=how["times"]
                    )
            elif each.name == "connection cut":
                self.campaign.relay.cut_after(how["after"], how["times"])
            elif each.name == "session setting":
                with self.campaign.saboteur() as connection:
                    value = faults.SESSION[how["setting"]]
                    connection.execute(f"ALTER DATABASE postgres SET {how['setting']} TO {value}")

    def _arm_jwp(self, name, how):
        make, library, number = faults.JWP[name], self.world.library, how["number"]
        if name == "hidden":
            kind = ("video", "video", "channel")[number % 3]
            keys = library.keys(kind)
            library.hide(kind, *keys[number % len(keys) :][: 1 + number % 9])
            return
        if name == "moves":
            fault = Fault.edit(lambda _: self.world.happens(1 + number % 3))
        elif name == "stale page":
            fault = Fault("stale", bend=self._bend_back)
        else:
            fault = make(number)
        self.simulator.faults.add(fault, route=how["route"], nth=how["nth"], times=how["times"])

    def _bend_back(self, page):
        """Show what this page lists as it was when all was last settled."""
        name = "key" if self.api == "v1" else "id"
        page.elements[:] = [self.stale.get(json.loads(each).get(name), each) for each in page.elements]

    def _disarm(self):
        self.simulator.faults.clear()
        for kind in ("video", "channel"):
            self.world.library.unhide(kind)
        self.campaign.relay.let_through()
        with self.campaign.saboteur() as connection:
            tables.mend(connection, OURS)
            connection.execute("ALTER DATABASE postgres RESET ALL")

    def _answer(self, said):
        if said == "dispossessed":
            self._frozen = self._contents()
        else:
            self.campaign.server.restart(said.split()[1])
            self.connection = self.scene.connection = self.campaign.watching(OURS)
            self.twin = self.campaign.watching(TWIN)

    _frozen = None

    def _stopped(self, pid, *, then):
        if then == "declare dead":
            self._end_leases()
            if self.connection.execute("SELECT FROM run_leases").fetchone():
                self._frozen = self._contents()
        else:
            time.sleep(0.05)
        send(pid, "SIGCONT")

    def _check_dispossessed(self, ran):
        """A run that lost its lease commits nothing more. (A push may still note what arrived; see no_edit_is_lost.)"""
        frozen, self._frozen = self._frozen, None
        if frozen is not None and (now := self._contents()) != frozen:
            changed = [table for table in now if now[table] != frozen[table]]
            self.now.broken.append(f"a_run_without_its_lease_commits_nothing: it changed {changed}")

    def _start_rival(self, name, job):
        """Start another run at the same time, and return a function that waits for its end and judges it."""
        from concurrent.futures import ThreadPoolExecutor

        folder = self.campaign.folder / "rival"
        folder.mkdir(exist_ok=True)
        other = Job(name, self.through, self.given, self.page_length, {}, str(folder), job.url, OURS)
        threads = ThreadPoolExecutor(1)
        future = threads.submit(run_forked, other, ask=lambda said: None)

        def judge():
            self.scene.run = future.result()
            threads.shutdown()
            self._judge(ALWAYS)

        return judge

    def _run_command(self, name, planned):
        how = next((each.how for each in planned if each.layer == "process"), {})
        environment = {key.upper(): str(value) for key, value in self.given.items()}
        pids = []
        done = Counter()
        if "request" in how:
            hit = Fault.edit(
                lambda _: pids and not done["sent"] and (done.update(sent=1), send(pids[0], how["signal"]))
            )
            self.simulator.faults.add(hit, nth=how["request"], times=1)
        elif "table" in how and not any(each.name in tables.STATES for each in planned):
            with self.campaign.saboteur() as connection:
                tables.hang_at(connection, OURS, how["table"], 0.5, nth=how["nth"])

        def watch(process):
            pids[:] = [process.pid]
            if (
                "table" in how
                and not done["sent"]
                and self.connection.execute(
                    "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name LIKE 'jwp_pipeline%'"
                ).fetchone()
            ):
                done["sent"] += 1
                send(process.pid, how["signal"])
            if done["sent"] and how.get("signal") == "SIGSTOP" and not done["continued"]:
                done["continued"] += 1
                time.sleep(0.1)
                send(process.pid, "SIGCONT")

        return run_command(name, self.campaign.folder / "work", environment, watch=watch)

    # --- Clean work of the campaign's own ---

    def _clean_sync(self):
        for kind in ("video", "channel"):
            listing, _ = sync(self.campaign.engine, self.client, kind, **OPEN_GUARD)
            if not listing.verified:
                raise AssertionError(f"the clean listing is {listing.status}: {listing.problem}")
        options = MediaOptions.from_settings(self.settings, sync_all=True)
        sync_media(self.campaign.engine, MEDIA_ASSETS, options=options, client=self.client)

    def _clean_push(self):
        options = PushOptions.from_settings(self.settings)
        push(self.campaign.engine, lambda: connect_writing(self.settings), options=options)
        for table, columns in (("item_updates", ["next_try_at"]), ("item_creations", ["next_try_at", "searched_at"])):
            earlier = ", ".join(f"{column} = {column} - interval '1 hour'" for column in columns)
            self.connection.execute(f"UPDATE {table} SET {earlier}")
        with Session(self.campaign.engine) as session:
            for table, what in (("item_updates", "field"), ("item_creations", "'video' AS field")):
                stuck = self.connection.execute(
                    f"SELECT media_item_id, {what} FROM {table} WHERE state IN ('conflict', 'refused')"
                ).fetchall()
                for row in stuck:
                    resolve(session, row.media_item_id, row.field, "ours")
            session.commit()

    def _outbox_waits(self):
        query = """
            SELECT FROM item_updates AS edit JOIN videos USING (media_item_id)
                WHERE edit.state <> 'pushed' AND videos.deleted_at IS NULL
            UNION ALL SELECT FROM item_creations WHERE state <> 'created'
        """
        return self.connection.execute(query).fetchone() is not None

    def _handle_events(self):
        """Look at what the events that still wait are about, as job `on_events` does."""
        engine, run_id = self.campaign.engine, f"the campaign's {self.now.number}"
        with connect(engine) as connection:
            waiting = store.waiting(connection, "video")
        if waiting.ids:
            listing = read_keys(engine, self.client, "video", waiting.keys, overlap=timedelta(hours=1), run_id=run_id)
            with connect(engine) as connection, connection.begin():
                store.attach(connection, waiting.ids, listing.snapshot_id)
            options = MirrorOptions(**OPEN_GUARD)
            apply_newest(engine, "video", options=options, client=self.client, run_id=run_id, also=store.settle)

    def _end_leases(self):
        """Declare every run dead that has not ended, as the next run would after half a minute of silence."""
        runs = [row.run_id for row in self.connection.execute("SELECT run_id FROM run_leases WHERE ended_at IS NULL")]
        if runs:
            standings(self.campaign.engine, runs, AT_ONCE)

    # --- Looks ---

    def _look(self):
        live = self.connection.execute("SELECT type, key FROM cached_resources WHERE deleted_at IS NULL").fetchall()
        self.scene.live_before = {(row.type, row.key): True for row in live}

    def _remember(self):
        records = [*self.world.library.records("video"), *self.world.library.records("channel")]
        self.stale = {record.key: record.json(self.api) for record in records}

    def _versions(self):
        query = "SELECT ctid::text, xmin::text, xmax::text FROM {}"
        return {table: sorted(self.connection.execute(query.format(table)).fetchall()) for table in WRITTEN}

    def _contents(self):
        query = "SELECT coalesce(md5(string_agg(row::text, '|' ORDER BY row::text)), '') AS digest FROM {} AS row"
        return {table: self.connection.execute(query.format(table)).fetchone().digest for table in _LOST}

    def _wait_for_sessions(self):
        """Wait until the server has noticed that the run is gone; a session that stays is one that was left."""
        query = "SELECT pid, state, query FROM pg_stat_activity WHERE application_name LIKE 'jwp_pipeline%'"
        deadline = time.monotonic() + 10
        while left := self.connection.execute(query).fetchall():
            if time.monotonic() > deadline:
                self.now.broken.append(f"no_session_is_left: {left}")
                return
            time.sleep(0.02)


def watching(url, schema):
    """Open a connection of the campaign's own, which sees one schema."""
    options = f"-csearch_path={schema} -cclient_encoding=UTF8"
    return psycopg.connect(
        url, autocommit=True, row_factory=namedtuple_row, application_name="campaign", options=options
    )


def engine_of(url, schema):
    """Open an engine for the campaign's own clean work; its sessions are not those of a run."""
    return open_engine(f"{url}?application_name=campaign", schema)
