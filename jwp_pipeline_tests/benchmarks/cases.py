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
    change_first: bool = False
    """Whether to change 1 % of the videos before the sync."""
    vacuum_first: bool = False
    """Whether to vacuum before the sync, as autovacuum would do a minute later if it were not off."""
    unchanged: bool = False
    """Whether the library is the same as in the sync before, so that this sync should write nothing."""


CASES = (
    Case("first mirror"),
    # The first read of newly written rows may set hint bits, which writes whole pages of WAL.
    Case("nothing changed", unchanged=True),
    Case("nothing changed, later", unchanged=True, vacuum_first=True),
    Case("1 % changed", change_first=True),
    Case("sync all", options=("--sync-all",)),
)
