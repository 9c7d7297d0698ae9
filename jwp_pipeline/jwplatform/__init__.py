"""Speaking with JW Platform: HTTP, signatures, errors. Knows no SQL and no Dagster."""
