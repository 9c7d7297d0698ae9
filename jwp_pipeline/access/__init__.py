"""ACLs and Lookup: who may see what. Knows no HTTP of JWP, no Dagster."""
