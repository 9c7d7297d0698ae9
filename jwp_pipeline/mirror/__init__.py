"""Raw snapshots, plan, guard, cached_resources. Knows PostgreSQL; knows no HTTP and no Dagster."""
