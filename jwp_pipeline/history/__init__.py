"""From the change log to what the library was on a day, and to pictures.

Knows PostgreSQL and pandas; knows no HTTP, no Dagster.
"""
