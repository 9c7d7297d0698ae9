"""A life: one library and an empty schema, and rounds of changes, faulted runs and a settlement each.

Put here the course of a round. What is drawn comes from one `Random` for each life, so that a life can be replayed.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from sqlalchemy.orm import Session

from jwp_pipeline.database.connection import connect
from jwp_pipeline.outbox import create_item
from jwp_pipeline.record import Person
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Fault, Simulator
from jwp_pipeline.simulator.site import Behaviour
from jwp_pipeline.webhooks import store
from jwp_pipeline_tests.campaign import faults, tables
from jwp_pipeline_tests.campaign.arming import OURS, TWIN, Arming
from jwp_pipeline_tests.campaign.child import Job
from jwp_pipeline_tests.campaign.clean import Clean
from jwp_pipeline_tests.campaign.invariants import ALWAYS, SETTLED, WRITTEN, Scene
from jwp_pipeline_tests.campaign.looking import Frozen
from jwp_pipeline_tests.campaign.running import run_command, run_forked, send
from jwp_pipeline_tests.campaign.runs import RUNS
from jwp_pipeline_tests.campaign.twin import differences
from jwp_pipeline_tests.campaign.world import World
from jwp_pipeline_tests.support import pages_of_at_most, settings_of

STEPS = {"sync": 300, "frequent": 300, "sync_all": 300, "events": 240, "push": 130}
"""About how many steps a run has; those of Dagster, whose own statements count as well, have more."""
# Runs do not wait long for somebody else's lock.
_PATIENCE = "?options=-clock_timeout%3D300ms"
_HANGS = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name LIKE 'jwp_pipeline%'"


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
    """One life. `campaign` has what all lives share; `through` is how its runs are made."""

    def __init__(self, campaign, number, *, api, through):
        self.campaign, self.number, self.api, self.through = campaign, number, api, through
        self.dice = Random(f"{campaign.seed} {number}")
        self.page_length = self.dice.choice((4, 5, 7, 100))
        self.mode = {"create_items": self.dice.choice(("all", "all", "sms")), "strict_acls": True}
        self.world = World(self.dice, videos=self.dice.randint(11, 22), channels=self.dice.randint(1, 4))
        self.connection = campaign.watching(OURS)
        self.twin = campaign.watching(TWIN)
        self.stale = {}
        """Key → JSON as JW Platform sent it when all was last settled."""

    def rounds(self, number):
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
        self.given = given | {"jwp_database_url": f"{self.campaign.server.url}{_PATIENCE}"}
        self.settings = load_settings(**self.given)
        secrets = [self.simulator.api_secret, self.simulator.v2_secret, self.campaign.password]
        self.scene = Scene(self.world, self.connection, secrets)
        self.clean = Clean(self.campaign.engine, self.connection, self.simulator, self.api, self.settings)
        self.arming = Arming(self.campaign, self.simulator, self.world, self.api)
        self.clean.sync()
        self._remember()
        self.world.settled()

    def _round(self, count):
        started = time.monotonic()
        self.now = Round(self.number, count, self.api, self.through, [], [])
        try:
            for _ in range(self.dice.choice((1, 2, 3, 4))):
                name = self.campaign.only_run or self.dice.choices(RUNS, (4, 3, 2, 2, 4))[0]
                self._change_things(name)
                self._run_under_faults(name)
                if self.now.broken:
                    break
            self.arming.disarm()
            if not self.now.broken:
                self._settle()
        except Exception as error:
            self.now.broken.append(f"the campaign itself failed: {type(error).__name__}: {error}")
            raise
        finally:
            self.arming.disarm()
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
            "SELECT key, item.id FROM videos JOIN media_items AS item ON item.id = media_item_id"
            " WHERE item.deleted_at IS NULL"
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
        planned = self._chosen(name, real)
        self.now.runs.append(name)
        self.now.faults += planned
        live = self.connection.execute("SELECT type, key FROM cached_resources WHERE deleted_at IS NULL").fetchall()
        self.scene.live_before = {(row.type, row.key): True for row in live}
        self.arming.arm(planned, self.stale)
        ran = self._run_command(name, planned) if real else self._run_forked(name, planned)
        self.arming.disarm()
        self.now.codes.append(ran.code)
        self.now.done += ran.done
        self.scene.run = ran
        self.scene.usual_peak = self.scene.usual_peak or ran.peak
        self._wait_for_sessions()
        self._judge(ALWAYS)
        self.scene.run = None

    def _chosen(self, name, real):
        """Draw faults, again and again if only some of them are wanted."""
        while True:
            planned = faults.chosen(self.dice, steps=STEPS[name], real_process=real, run=name)
            if self.campaign.only_fault is None or any(self.campaign.only_fault in str(each) for each in planned):
                return planned

    def _run_forked(self, name, planned):
        how = {each.name: each.how for each in planned}
        acts = {each.how["at"]: each.how["act"] for each in planned if "act" in each.how}
        job = self._job(name, "work", acts)
        rival = None
        if "rival" in how:
            rival = _in_a_thread(run_forked, self._job(how["rival"]["run"], "rival", {}), ask=lambda said: None)
        frozen = Frozen(self.connection)

        def ask(said):
            if said == "dispossessed":
                frozen.remember()
            else:
                self.campaign.server.restart(said.split()[1])

        def stopped(pid):
            if how.get("SIGSTOP", {}).get("then") == "declare dead":
                self.clean.end_leases()
                if self.connection.execute("SELECT FROM run_leases WHERE process_id = %s", [pid]).fetchone():
                    frozen.remember()
            else:
                time.sleep(0.05)
            send(pid, "SIGCONT")

        ran = run_forked(job, ask=ask, is_limited=any("limit" in each.name for each in planned), on_stop=stopped)
        if rival is not None:
            self.scene.run = rival()
            self._judge(ALWAYS)
        self.now.broken += frozen.changes()
        return ran

    def _job(self, name, folder, acts):
        path = self.campaign.folder / folder
        path.mkdir(exist_ok=True)
        return Job(
            name, self.through, self._settings(), self.page_length, acts, str(path), self.campaign.server.url, OURS
        )

    def _settings(self):
        """Return the settings of a run. Its database is behind the relay only if that cuts connections."""
        if not self.campaign.relay.cuts:
            return self.given
        return self.given | {
            "jwp_database_url": f"{self.campaign.server.elsewhere(self.campaign.relay.port)}{_PATIENCE}"
        }

    def _run_command(self, name, planned):
        how = next((each.how for each in planned if each.layer == "process"), {})
        environment = {key.upper(): str(value) for key, value in self._settings().items()}
        pids, sent = [], []

        def strike(*_):
            if pids and not sent:
                sent.append(how["signal"])
                send(pids[0], how["signal"])

        if "request" in how:
            self.simulator.faults.add(Fault.edit(strike), nth=how["request"], times=1)
        elif "table" in how and not any(each.name in tables.STATES for each in planned):
            with self.campaign.saboteur() as connection:
                tables.hang_at(connection, OURS, how["table"], 0.5, nth=how["nth"])

        def watch(process):
            pids[:] = [process.pid]
            if "table" in how and not sent and self.connection.execute(_HANGS).fetchone():
                strike()
            if sent == ["SIGSTOP"]:
                sent.append("SIGCONT")
                time.sleep(0.1)
                send(process.pid, "SIGCONT")

        return run_command(name, self.campaign.folder / "work", environment, watch=watch)

    def _settle(self):
        """Let everything come right, and see that it has, and that it equals the twin."""
        self.clean.settle()
        before = self._versions()
        self.clean.sync()
        if (after := self._versions()) != before:
            changed = [table for table in before if before[table] != after[table]]
            self.now.broken.append(f"p3_a_sync_that_finds_nothing_new_writes_nothing: it wrote {changed}")
        self._judge(SETTLED)
        self.campaign.sync_twin(self.simulator, self.api, self.settings)
        self.now.broken += [f"equals_the_twin: {each}" for each in differences(self.connection, self.twin)]

    def _judge(self, invariants):
        for invariant in invariants:
            self.now.broken += [f"{invariant.__name__}: {what}" for what in invariant(self.scene)]

    def _remember(self):
        records = [*self.world.library.records("video"), *self.world.library.records("channel")]
        self.stale = {record.key: record.json(self.api) for record in records}

    def _versions(self):
        query = "SELECT ctid::text, xmin::text, xmax::text FROM {}"
        return {table: sorted(self.connection.execute(query.format(table)).fetchall()) for table in WRITTEN}

    def _wait_for_sessions(self):
        """Wait until the server has noticed that the run is gone; a session that stays is one that was left."""
        query = "SELECT pid, state, query FROM pg_stat_activity WHERE application_name LIKE 'jwp_pipeline%'"
        deadline = time.monotonic() + 60
        while left := self.connection.execute(query).fetchall():
            if time.monotonic() > deadline:
                self.now.broken.append(f"no_session_is_left: {left}")
                return
            time.sleep(0.02)


def _in_a_thread(function, *arguments, **options):
    """Call a function in a thread, and return a function that waits for its result."""
    threads = ThreadPoolExecutor(1)
    future = threads.submit(function, *arguments, **options)
    threads.shutdown(wait=False)
    return future.result
