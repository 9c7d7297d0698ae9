"""Tables, migrations, sessions and the embedded PostgreSQL. Nothing here depends on JW Platform's API or on Dagster."""
