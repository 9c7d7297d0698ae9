"""Rounds of syncs and pushes under faults, after each of which every promise must hold.

    python -m jwp_pipeline_tests.campaign --rounds 200 --seed 1
    python -m jwp_pipeline_tests.campaign --seed 1 --life 17

A *life* is one library with an empty schema, and a few *rounds*. In a round people change things on both sides, a run
is made under one to three faults, and then everything must come right. `docs/reliability.md` says what was run.

    __main__.py     the command and its table
    life.py         a life and its rounds
    world.py        the library and the record as people change them, and what they may expect
    invariants.py   what must hold, a function for each promise
    twin.py         the same library, synced without faults
    child.py        the process that runs under faults; runs.py is what it runs
    steps.py        its steps, and what happens to it at one of them
    faults.py       which faults there are, by layer; tables.py injects errors of the server
    server.py       the PostgreSQL of the campaign; relay.py cuts connections to it
    clean.py        the clean work after a round; arming.py, looking.py and running.py do what their names say
    planted.py      faults that are planted to test the campaign itself
    inputs.py       100,000 bad inputs: strategies.py draws them, kinds.py places them, targets.py reads them
    fuzz.py         the same readers under atheris, which follows the coverage
"""
