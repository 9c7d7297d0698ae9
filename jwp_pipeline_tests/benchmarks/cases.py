"""What is measured of one library: the rows of the table, in the order in which they are run.

A new case is one more row here, with options that measured_sync.py knows.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One sync."""

    name: str
    options: tuple[str, ...] = ()
    """Of measured_sync.py."""
    change_first: bool = False
    """Change 1 % of the videos before it."""
    vacuum_first: bool = False
    """Let the server tidy up before it, as it does by itself a minute later (autovacuum is off meanwhile)."""
    unchanged: bool = False
    """JW Platform's library is what the sync before it saw: it is held to writing nothing."""


CASES = (
    Case("first mirror"),
    # The first look at freshly written rows may write hint bits, and with them whole pages of WAL.
    Case("nothing changed", unchanged=True),
    Case("nothing changed, later", unchanged=True, vacuum_first=True),
    Case("1 % changed", change_first=True),
    Case("sync all", options=("--sync-all",)),
)
