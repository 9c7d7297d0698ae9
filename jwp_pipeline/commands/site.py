"""Which site a command speaks with: the configured one, or the demo's simulated JW Platform if none is configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jwp_pipeline.commands.demo import Demo, demo_if_unconfigured, is_empty_home, remembered
from jwp_pipeline.commands.frame import configured
from jwp_pipeline.commands.loading import loading
from jwp_pipeline.commands.terminal import Terminal
from jwp_pipeline.settings import Settings


@contextmanager
def site(screen: Terminal, *, history: bool = False, advance: bool = False) -> Iterator[tuple[Settings, Demo | None]]:
    """Yield the settings, and the demo site if it stands in for a real one.

    With `history`, a demo in an empty home gets two weeks of history first. After that, or with `advance` unless it is
    new, another day passes in its library. Raises SettingsError and PipelineError.
    """
    settings = configured(screen)
    begins_in_past = history and not settings.has_jwp_credentials and is_empty_home(settings)
    start = None
    if begins_in_past:
        with loading():
            from jwp_pipeline.commands.demo_history import beginning, make_history
        start = beginning()
    with demo_if_unconfigured(settings, start=start) as demo:
        if demo is None:
            yield settings, None
            return
        if begins_in_past:
            make_history(demo, screen)
        if begins_in_past or (advance and not demo.is_new):
            demo.act("evolve")
        screen.say(demo.announcement())
        yield demo.settings, demo


def configured_or_demo(screen: Terminal) -> Settings:
    """Return the settings, with the demo site in place of a real one, for a command that asks the site nothing."""
    return remembered(configured(screen))
