-- Stores the keys that a refused or partly applied snapshot would have deleted. A release deletes no others.
UPDATE raw_snapshots
SET withheld_keys = coalesce(
    (SELECT array_agg(key ORDER BY key COLLATE "C") FROM plan WHERE :deletes AND change = 'missing'), '{}'
)
WHERE id = :snapshot_id
