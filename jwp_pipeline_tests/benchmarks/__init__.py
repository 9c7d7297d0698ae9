"""Measures what a sync costs in time, memory, requests and WAL, and compares it with targets.

    cases.py          the cases to measure, one for each row of the table
    bench.py          runs one library size with one API: the server, the library, and the child processes
    served_library.py the simulated site, in its own process
    measured_sync.py  one sync as jwpfetch runs it, in its own process
    limits.py         measures what the same work costs without a pipeline around it
    wal.py            finds out which tables the WAL of a case is about, and how many rows the case wrote
    peers.py          measures dlt with the same library (dlt_load.py, run by a Python that has dlt)
    start_up.py       measures the start of jwpfetch, up to its first request
    report.py         tables and targets
    speed.py          the targets of the first mirror, of a sync of all items, and of the start
    freshness.py      seconds from a change at JW Platform to the record, under the live daemon (a command of its own)

See `python -m jwp_pipeline_tests.benchmarks --help`. A missed target is shown but is not a failure, because seconds
depend on the machine.
"""
