-- Say what this process waits for, for as long as it may take until it says it again.
INSERT INTO request_lines (account, process, edits, looks, writers, lapses_at)
VALUES (:account, :process, :edits, :looks, :writers, clock_timestamp() + :lapse)
ON CONFLICT (account, process) DO UPDATE SET
    edits = excluded.edits,
    looks = excluded.looks,
    writers = excluded.writers,
    lapses_at = excluded.lapses_at
