"""Computes the library's history from the change log, and draws it as charts.

The modules here may use PostgreSQL and pandas, but not HTTP or Dagster.
"""
