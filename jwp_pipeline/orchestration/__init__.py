"""The Dagster layer: assets, checks, jobs and resources. It is thin: an asset calls one function of another package."""
