"""The check that items really play: a step of its own, after the media side, that asks the Delivery API."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from jwp_pipeline.orchestration.checks.results import WARN, check_result, check_spec
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.record.spot_check import spot_check

ITEMS_PLAY = "items_play"


class PlayConfig(dg.Config):
    """Whether items are tried at all."""

    ask_jwp: bool = True
    """Ask JW Platform. Without it nothing is tried."""


@dg.multi_asset_check(
    name=ITEMS_PLAY,
    specs=[
        check_spec(
            ITEMS_PLAY,
            "media_items",
            "A sample of the items that somebody may view really plays: the player answers, and JW Platform has "
            "sources. The sample changes daily; JWP_DELIVERY_CHECK_ITEMS and JWP_DELIVERY_CHECK_SECONDS bound it.",
        )
    ],
)
def items_play(
    context: dg.AssetCheckExecutionContext, config: PlayConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.AssetCheckResult]:
    """Try a few items, and name those that do not play."""
    (key,) = {check.asset_key for check in context.selected_asset_check_keys}
    with as_dagster_failure():
        settings = runtime.settings()
        items, seconds = settings.jwp_delivery_check_items, settings.jwp_delivery_check_seconds
        if not config.ask_jwp or items == 0 or not settings.can_play:
            well = "Nothing was tried: JW Platform is not to be asked, or the player key or the v1 secret is not set."
            yield check_result(ITEMS_PLAY, None, well=well, metadata={"tried": 0}, key=key)
            return
        with runtime.database() as engine:
            result = spot_check(engine, settings, day=datetime.now(UTC).date(), items=items, seconds=seconds)
    named = "; ".join(f"{each.item_id} ({each.title}): {each.why}" for each in result.unplayable)
    yield check_result(
        ITEMS_PLAY,
        f"{len(result.unplayable)} of {result.tried} items do not play: {named}" if named else None,
        well=f"Each of {result.tried} items plays.",
        metadata={"tried": result.tried, "unplayable": [each.item_id for each in result.unplayable]},
        key=key,
        severity=WARN,
    )
