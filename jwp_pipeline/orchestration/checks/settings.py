"""Finds settings that a sync could not work with, for check `required_settings` and for callers that ask before a run.

Put here tests of values that only Dagster or the clients can make; types and ranges are in settings.py.
"""

import time

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.jwplatform.connect import refused_settings
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.orchestration.dagster_private import cron_string_iterator, is_valid_cron_string
from jwp_pipeline.settings import Settings

CRONS = ("jwp_full_resync_cron", "jwp_frequent_sync_cron")


def unreadable_crons(settings: Settings) -> dict[str, str]:
    """Return the name of each cron setting that Dagster cannot follow → what is wrong with it."""
    crons = {name.upper(): getattr(settings, name) for name in CRONS}
    return {
        name: f"{cron!r}, which is not a cron expression of five fields with a time that comes, such as `0 3 * * *`"
        for name, cron in crons.items()
        if not _comes(cron)
    }


def _comes(cron: str) -> bool:
    """Whether the time ever comes. Dagster accepts the 31st of April as valid, but then its scheduler fails."""
    if not is_valid_cron_string(cron):
        return False
    try:
        next(cron_string_iterator(time.time(), cron, "UTC"))
    except ValueError:
        return False
    return True


def unusable_settings(settings: Settings) -> dict[str, str]:
    """Return the name of each setting that is missing or makes no sense → what is wrong, and what to do."""
    problems = {name: f"is not set: {hint}" for name, hint in settings.missing_required().items()}
    problems |= refused_settings(settings)
    problems |= {name: f"is {what}" for name, what in unreadable_crons(settings).items()}
    try:
        MediaOptions.from_settings(settings)
    except SettingsError as error:
        problems["JWP_DEFAULT_ACL"] = f"cannot be read: {error}"
    return problems
