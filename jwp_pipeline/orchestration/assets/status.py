"""The asset `status`: one page that says whether the record is in step, since when or why not, and what to do next."""

import dagster as dg

from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.metadata import OWNERS
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.orchestration.status_page import status_metadata


@dg.asset(group_name="status", kinds={"postgres"}, owners=OWNERS)
def status(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    """Whether the record is in step with JW Platform, since when or why not, and what to do next.

    Sensor `in_step_or_not` renews this page after each run, and `jwpfetch` at its end; materialise it to renew it now.
    """
    with as_dagster_failure():
        return dg.MaterializeResult(metadata=status_metadata(context.instance, runtime))
