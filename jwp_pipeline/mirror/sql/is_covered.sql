-- Whether all keys that are missing now belong to a set of keys that was withheld before.
SELECT NOT EXISTS (
    SELECT key FROM plan WHERE change = 'missing'
    EXCEPT
    SELECT unnest(withheld_keys) FROM raw_snapshots WHERE id = :snapshot_id
)
