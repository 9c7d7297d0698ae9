"""Reads listings into raw snapshots, and brings cached_resources in step with them through a plan and a guard.

The modules here may use PostgreSQL, but not HTTP or Dagster.
"""
