-- Whether everything that is missing now belongs to a set that was withheld before.
SELECT NOT EXISTS (
    SELECT key FROM plan WHERE change = 'missing'
    EXCEPT
    SELECT unnest(withheld_keys) FROM raw_snapshots WHERE id = :snapshot_id
)
