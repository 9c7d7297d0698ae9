"""What people type: command lines, one sync as a Dagster run, the served UI, the demo."""
