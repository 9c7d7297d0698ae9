"""The commands that people type: the command lines, one sync as a Dagster run, the served UI, and the demo."""
