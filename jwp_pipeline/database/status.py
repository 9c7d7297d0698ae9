"""Reads from the view `sync_status` whether each type is in step, and says what to do if it is not.

Put here the reasons for which a type is not in step, in words for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from jwp_pipeline.runbook import with_runbook_link


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """The state of one resource type, as a row of `sync_status`. Times are in UTC."""

    resource_type: str
    in_step_as_of: datetime | None
    """The start of the last verified full listing that was applied."""
    changes_seen_until: datetime | None
    """The start of the last read of any kind that was applied."""
    lag: timedelta | None
    """The time since `in_step_as_of`."""
    listed: int | None
    live: int
    unconfirmed: int
    """Live rows that the newest complete listing misses, without JW Platform having confirmed that they are gone."""
    withheld: int
    """Live rows whose deletion the guard withholds; they are not counted as unconfirmed."""
    withheld_snapshot: int | None
    """The snapshot to release if these rows are to be deleted."""
    live_in_platform: int
    """Live media items (media channels) that belong to a video (channel)."""
    behind: int
    """Cached resources that the media side has not followed yet."""
    quarantined_snapshot: int | None
    newest_read: str | None
    """quarantined | failed | incomplete, when the newest read went wrong."""
    problem: str | None
    open_problems: int
    behind_newest: datetime | None
    """When the newest of the resources counted in `behind` was cached or deleted."""
    last_applied_at: datetime | None

    def applied_since(self, moment: float) -> bool:
        """Whether anything was applied after `moment`, in seconds since the epoch."""
        return self.last_applied_at is not None and self.last_applied_at.timestamp() > moment

    @property
    def withheld_text(self) -> str | None:
        """What is withheld and what to do about it, as part of a sentence; None if nothing is withheld."""
        if self.withheld_snapshot is None:
            return None
        return (
            f"the newest complete listing misses {self.withheld} of {self.live} live {self.resource_type}s, more than "
            "JWP_MAX_DELETE_RATIO allows; everything else was applied. Look with "
            f"`jwpfetch --release {self.withheld_snapshot} --dry-run`; if they really are gone at JW Platform, delete "
            f"them with `jwpfetch --release {self.withheld_snapshot}`; if not, do nothing, and a listing that has them "
            "again settles it"
        )

    def trouble(self, max_age: timedelta) -> str | None:
        """Return why this type is not in step, what to do next, and the runbook page; None if the type is in step."""
        found = self._trouble(max_age)
        return with_runbook_link(*found) if found else None

    def _trouble(self, max_age: timedelta) -> tuple[str, str] | None:
        kind = f"{self.resource_type}s"
        if self.withheld_snapshot is not None and self.withheld_text is not None:
            return self.withheld_text, "withheld-deletions"
        if self.quarantined_snapshot is not None:
            return (
                f"snapshot {self.quarantined_snapshot} of {kind} is quarantined ({self.problem}): look with "
                f"`jwpfetch --skip-fetch --dry-run`, then `jwpfetch --release {self.quarantined_snapshot}` or wait "
                "for the next good listing",
                "quarantined-snapshot",
            )
        if self.newest_read == "failed":
            what = f"the newest read of {kind} failed ({self.problem}): mend that, then run jwpfetch"
        elif self.in_step_as_of is None or self.lag is None:
            what = f"{kind} have never been listed in full and applied: run jwpfetch"
        elif self.lag > max_age:
            hours = self.lag.total_seconds() / 3600
            what = f"the last verified full listing of {kind} is {hours:.0f} hours old: run jwpfetch"
        elif self.behind:
            what = f"{self.behind} {kind} wait for the media side: run jwpfetch --skip-fetch, or job `media_sync`"
        elif self.newest_read == "incomplete":
            what = f"the newest listing of {kind} is incomplete ({self.problem}): the next one may prove complete"
            return what, "incomplete-listing"
        else:
            return None
        return what, "not-in-step"


def read_status(connection: Connection) -> list[TypeStatus]:
    """Return the state of each type, videos first."""
    rows = connection.execute(text("SELECT * FROM sync_status ORDER BY resource_type DESC"))
    return [TypeStatus(**row._asdict()) for row in rows]
