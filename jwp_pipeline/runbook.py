"""Links texts to the runbook: the page for each asset check, and functions that add a page to a text.

The pages are in docs/runbook in the repository, and inside an installed package. Each exception class in errors.py
names its own page.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from jwp_pipeline.errors import PipelineError, SettingsError

FOLDER = "docs/runbook"
_PACKAGE = Path(__file__).parent

PAGE_OF_CHECK = MappingProxyType(
    {
        "required_settings": "missing-setting",
        "no_setting_is_ignored": "missing-setting",
        "verified": "incomplete-listing",
        "live_rows_equal_listing": "not-in-step",
        "nothing_quarantined": "quarantined-snapshot",
        "nothing_withheld": "withheld-deletions",
        "deletions_confirmed": "unconfirmed-deletions",
        "no_open_problems": "unreadable-fields",
        "events_are_handled": "webhooks",
        "every_video_has_its_item": "not-in-step",
        "content_reflected": "content-waits",
        "no_item_of_a_dead_channel": "not-in-step",
        "no_deleted_item_in_a_playlist": "not-in-step",
        "edits_arrive": "edits-wait",
        "no_conflicts": "conflict",
        "no_refused_edits": "refused-edit",
        "in_step": "not-in-step",
        "items_play": "delivery",
        "none_became_public": "items-became-public",
        "every_field_was_read": "unreadable-fields",
        "days_add_up": "not-in-step",
    }
)


def path(page: str) -> str:
    """Return where to find a page: its path in the repository, or the command that prints it."""
    in_checkout = (_PACKAGE.parent / FOLDER).is_dir()
    return f"{FOLDER}/{page}.md" if in_checkout else f"jwp-pipeline runbook {page}"


def read_page(page: str) -> str:
    """Return the Markdown of a page. Raises SettingsError if there is no such page."""
    for folder in (_PACKAGE.parent / FOLDER, _PACKAGE / FOLDER):
        pages = {found.stem: found for found in folder.glob("*.md")}
        if page in pages:
            return pages[page].read_text()
    raise SettingsError(f"The runbook has no page {page!r}; `jwp-pipeline runbook` lists its pages.")


def with_runbook_link(text: str, page: str) -> str:
    """Add a runbook page to a text; if the text has several lines, the page gets a line of its own."""
    space = "\n" if "\n" in text else " "
    return f"{text}{space}({path(page)})"


def error_text(error: PipelineError) -> str:
    """Return the error's message with its runbook page."""
    return with_runbook_link(str(error), error.runbook)


def check_text(name: str, text: str) -> str:
    """Add the check's runbook page to its description or result."""
    return with_runbook_link(text, PAGE_OF_CHECK[name])
