"""Tables, migrations, sessions and the embedded PostgreSQL. Knows nothing of JWP or Dagster."""
