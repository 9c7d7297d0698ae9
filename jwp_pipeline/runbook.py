"""Which page of the runbook tells what to do: the page of each asset check, and texts that name a page.

The pages stand in the repository, in docs/runbook; an installed package does not carry them. The page of an
exception is named by its class. Put here which page belongs to which check.
"""

from __future__ import annotations

from types import MappingProxyType

from jwp_pipeline.errors import PipelineError

FOLDER = "docs/runbook"

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
        "every_video_has_its_item": "not-in-step",
        "content_reflected": "content-waits",
        "no_item_of_a_dead_channel": "not-in-step",
        "no_deleted_item_in_a_playlist": "not-in-step",
        "in_step": "not-in-step",
        "none_became_public": "items-became-public",
        "every_field_was_read": "unreadable-fields",
        "days_add_up": "not-in-step",
    }
)


def path(page: str) -> str:
    """Where a page stands in the repository."""
    return f"{FOLDER}/{page}.md"


def with_runbook_link(text: str, page: str) -> str:
    """The text with the page that tells more, on a line of its own where the text has several."""
    space = "\n" if "\n" in text else " "
    return f"{text}{space}({path(page)})"


def error_text(error: PipelineError) -> str:
    """The error's message with its page."""
    return with_runbook_link(str(error), error.runbook)


def check_text(name: str, text: str) -> str:
    """What a check is about, or found, with its page."""
    return with_runbook_link(text, PAGE_OF_CHECK[name])
