"""What a sync costs: time, memory, requests and WAL, beside what it is held to.

    cases.py          what is measured: one row of the table each
    bench.py          one library size and one API: its server, its library, its child processes
    served_library.py the simulated site, in a process of its own
    measured_sync.py  one sync, in a process of its own, as jwpfetch runs it
    limits.py         what the same work costs without a pipeline around it
    wal.py            which table the WAL of a case is about, and how many rows it wrote
    peers.py          the same library loaded by dlt (dlt_load.py, run by a Python that has dlt)
    report.py         tables, targets, JSON

`python -m jwp_pipeline_tests.benchmarks --help`. It measures and judges nothing: seconds depend on the machine.
"""
