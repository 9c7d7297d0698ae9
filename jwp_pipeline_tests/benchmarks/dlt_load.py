"""Loads all videos once with dlt. The argument is dlt's merge strategy; the last line of stdout holds the figures.

This program runs in an environment that has dlt but not this project, so it imports nothing from it. dlt is told to
keep nested objects as JSON (max_table_nesting=0), which is its fastest way and closest to what we do.
"""

import json
import os
import resource
import sys
import time

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

PAGE_LENGTH = 1000


def main(strategy):
    started = time.monotonic()
    client = RESTClient(
        base_url=os.environ["JWPLATFORM_MANAGEMENT_API_URL"],
        auth=BearerTokenAuth(os.environ["JWPLATFORM_V2_API_SECRET"]),
        paginator=PageNumberPaginator(base_page=1, total_path=None, stop_after_empty_page=True),
        data_selector="media",
    )
    path = f"/v2/sites/{os.environ['JWPLATFORM_API_KEY']}/media/"
    disposition = {"disposition": "merge", "strategy": strategy}

    @dlt.resource(name="media", primary_key="id", write_disposition=disposition, max_table_nesting=0)
    def media():
        yield from client.paginate(path, params={"page_length": PAGE_LENGTH, "sort": "created:asc"})

    pipeline = dlt.pipeline(
        f"benchmark_{strategy}",
        destination=dlt.destinations.postgres(os.environ["BENCHMARK_DATABASE_URL"]),
        dataset_name="benchmark",
    )
    pipeline.run(media())
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    with pipeline.sql_client() as database:
        rows = database.execute_sql("SELECT count(*) FROM media")[0][0]
    print(json.dumps({"seconds": seconds, "peak_rss_mb": peak / 1e6, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1])
