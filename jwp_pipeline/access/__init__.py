"""Decides what the ACLs of JW Platform permit.

The modules here may not use JWP's HTTP or Dagster.
"""
