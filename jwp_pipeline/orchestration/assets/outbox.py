"""The asset of the outbox: `jwp_updates`, the edits of the record that reach JW Platform. The body calls outbox/."""

from collections.abc import Iterator

import dagster as dg

from jwp_pipeline.mirror.site import require_site
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.metadata import OWNERS, push_metadata, table_metadata
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.outbox.push import PushOptions, push


class PushConfig(dg.Config):
    """How edits are pushed."""

    dry_run: bool = False
    """Only show what would be pushed, and count it as reviewed."""


# It has no pool of its own and is not in that of the syncs: a person's edit does not wait for a listing. Two pushes
# exclude each other by a lock.
@dg.asset(
    deps=["media_items"],
    group_name="outbox",
    kinds={"python", "postgres"},
    owners=OWNERS,
    metadata=table_metadata("item_updates"),
    output_required=False,
    description="Edits of `media_items` that applications make, merged with what JW Platform has and pushed there; and "
    "the videos of new items. A field that was changed on both sides is a conflict, and waits for somebody to decide.",
)
def jwp_updates(
    context: dg.AssetExecutionContext, config: PushConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult]:
    """Push the edits that are due."""
    with as_dagster_failure(), runtime.database() as engine:
        settings = runtime.settings()
        require_site(engine, settings.jwplatform_api_key or "")
        report = push(
            engine,
            runtime.writing_client,
            options=PushOptions.from_settings(settings),
            dry_run=config.dry_run,
            lease=runtime.lease,
        )
        runtime.report(report)
    metadata = push_metadata(report)
    if config.dry_run:
        context.log.info(f"Dry run: {metadata['changes'].value}")
    else:
        yield dg.MaterializeResult(metadata=metadata)
