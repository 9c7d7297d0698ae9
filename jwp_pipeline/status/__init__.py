"""Says in one page whether the record is in step with JW Platform, since when or why not, and what to do next.

    read.py   reads everything that the page says from the tables
    page.py   writes the page, as Markdown for Dagster and as HTML for a browser; pure

Put here what is said about the whole. What is known of one resource type is in database/status.py.
"""
