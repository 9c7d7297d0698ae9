"""Keeps a JW Platform video library and your own PostgreSQL database in step, and shows that they are."""

__version__ = "0.1.0"
