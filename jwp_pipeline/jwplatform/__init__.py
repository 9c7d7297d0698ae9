"""The clients for JW Platform: HTTP, signatures and errors. The modules here use neither SQL nor Dagster."""
