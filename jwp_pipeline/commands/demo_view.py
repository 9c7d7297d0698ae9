"""`jwp-pipeline demo`: shows the demo's JW Platform, and lets something happen to it.

Put here its arguments and what it prints; demo.py speaks with the site.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwp_pipeline.commands.demo import Demo
    from jwp_pipeline.commands.terminal import Terminal
    from jwp_pipeline.settings import Settings

_HOWS = ("half", "totals", "down")

_TRY = {
    "half": "The guard will withhold the deletions: try `jwpfetch`, and then `jwpfetch --status`.",
    "empty": "The guard will refuse the listing: try `jwpfetch`.",
    "totals": "The listing cannot be complete, and so deletes nothing: try `jwpfetch`.",
    "down": "A sync asks again for as long as JWP_DEADLINE_MINUTES allows: try `JWP_DEADLINE_MINUTES=0.2 jwpfetch`.",
}


def add_verb(verbs: Any, of_actions: Sequence[argparse.ArgumentParser]) -> None:
    """Add the verb and its actions to the parser of `jwp-pipeline`, with parsers of the options that they share."""
    demo = verbs.add_parser(
        "demo",
        help="show the simulated JW Platform that stands in for a real one, break it, mend it, let a day pass",
        description="Show the simulated JW Platform, or let something happen to it. It never touches a real one: with "
        "any JWPLATFORM_* credential, it refuses.",
    )
    actions = demo.add_subparsers(dest="action")
    show = actions.add_parser("show", parents=of_actions, help="show the site, or a video as JW Platform has it")
    show.add_argument("key", nargs="?", metavar="KEY", help="the key of the video")
    broken = actions.add_parser(
        "break", parents=of_actions, help="let half of its videos be gone, or break it otherwise"
    )
    broken.add_argument(
        "how",
        nargs="?",
        choices=_HOWS,
        default="half",
        help="half of the videos gone (the default), wrong totals in its listing, or its API down",
    )
    actions.add_parser("empty", parents=of_actions, help="let its listing of videos be empty")
    actions.add_parser("mend", parents=of_actions, help="bring everything back")
    actions.add_parser("evolve", parents=of_actions, help="let a day pass in its library now")
    demo.set_defaults(env_file=None)


def run(options: argparse.Namespace, settings: Settings, screen: Terminal) -> int:
    """Do what the arguments say, and return the exit code. Raises PipelineError."""
    from jwp_pipeline.commands.demo import demo_if_unconfigured, has_begun
    from jwp_pipeline.commands.frame import FAILED, USAGE

    if settings.has_jwp_credentials:
        screen.fail(
            "A real JW Platform is configured (a JWPLATFORM_* credential is set), and the demo never touches one. To "
            "play with the demo, run this in a folder without .env, and without JWPLATFORM_* in the environment."
        )
        return USAGE
    if not has_begun(settings):
        screen.fail(f"There is no demo in {settings.jwp_home} yet; `jwp-pipeline run` (`make run`) begins one.")
        return FAILED
    with demo_if_unconfigured(settings) as demo:
        assert demo is not None  # noqa: S101 - there are no credentials
        return _act(demo, options, screen)


def _act(demo: Demo, options: argparse.Namespace, screen: Terminal) -> int:
    from jwp_pipeline.commands.frame import FAILED, SUCCEEDED

    match options.action:
        case "break" | "empty":
            how = "empty" if options.action == "empty" else options.how
            state = demo.act("break", how=how)
            screen.say(f"At the simulated JW Platform, {state['troubled']}. {_TRY[how]}")
            screen.say("`jwp-pipeline demo mend` brings everything back.")
        case "mend":
            state = demo.act("mend")
            screen.say(f"The simulated JW Platform is well again, with {state['videos']:,} videos.")
        case "evolve":
            screen.say(_evolved(demo.act("evolve")))
        case "show" if options.key is not None:
            video = demo.video(options.key)
            if video is None:
                screen.fail(f"The simulated JW Platform has no video {options.key}.")
                return FAILED
            screen.say(json.dumps(video, indent=2, ensure_ascii=False))
        case _:
            _show(demo, screen)
    return SUCCEEDED


def _show(demo: Demo, screen: Terminal) -> None:
    state = demo.state()
    screen.say(f"The simulated JW Platform is at {demo.url}, and its library is at day {state['generation']}.")
    screen.say(f"It has {state['videos']:,} videos and {state['channels']:,} channels.")
    if state["troubled"]:
        screen.say(f"Mind that {state['troubled']}; `jwp-pipeline demo mend` ends that.", "yellow")
    for sentence in state["moves"]:
        screen.say(f"  {sentence}")


def _evolved(evolution: Mapping[str, Any]) -> str:
    counts = {
        kind: [f"{len(evolution[f'{kind}_{what}'])} {what}" for what in ("added", "changed", "deleted", "restored")]
        for kind in ("videos", "channels")
    }
    told = "; ".join(f"{kind}: {', '.join(each)}" for kind, each in counts.items())
    return f"Day {evolution['generation']} of the library has come. {told[0].upper()}{told[1:]}."
