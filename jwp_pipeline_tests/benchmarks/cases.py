"""The cases that are measured for each library, in the order in which they run.

To add a case, add a row here, with options that measured_sync.py knows.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One sync to measure."""

    name: str
    options: tuple[str, ...] = ()
    """The options for measured_sync.py."""
    change_first: str | None = None
    """How the library changes before the sync: a name that served_library.py knows."""
    vacuum_first: bool = False
    """Whether to vacuum before the sync, as autovacuum would do a minute later if it were not off."""
    api: str | None = None
    """The only API that it is measured with; None for both."""
    unchanged: bool = False
    """Whether the library is the same as in the sync before, so that this sync should write nothing."""


CASES = (
    Case("first mirror"),
    # The first read of newly written rows may set hint bits, which writes whole pages of WAL.
    Case("nothing changed", unchanged=True),
    Case("nothing changed, later", unchanged=True, vacuum_first=True),
    Case("1 % changed", change_first="titles"),
    Case("sync all", options=("--sync-all",)),
    # v1 counts the views of each video, so that all its digests move every day.
    Case("views moved", change_first="views", api="v1"),
)
