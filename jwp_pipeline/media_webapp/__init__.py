"""Fills the record from a database of media-webapp, the Django application that this pipeline takes over from.

    layout.py     the tables and columns of that database which are read
    source.py     reads them, in one read-only transaction, into temporary tables next to ours
    findings.py   what is strange there, what has no place in the record, and what forbids an import
    writing.py    writes the rows into our tables, and lets the media side remember them as if it had read them
    importing.py  the order of these steps, and the plan that people see before anything is written

The statements are in sql/. Put here what is known of media-webapp's database, and nothing else: once a record is
filled, the pipeline does not know where it came from.
"""
