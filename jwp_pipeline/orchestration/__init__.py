"""The Dagster layer: assets, checks, jobs, resources. Thin: an asset calls one function of another package."""
