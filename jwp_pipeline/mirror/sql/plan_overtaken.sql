-- Takes out of the plan what JW Platform said of single keys after this snapshot had begun to be read, and what was
-- applied since: the older read must not undo it.
DELETE FROM plan
WHERE plan.key IN (
    SELECT seen.key
    FROM raw_snapshots AS look
    JOIN raw_pages AS page ON page.snapshot_id = look.id
    CROSS JOIN LATERAL unnest(page.keys || look.absent_keys) AS seen (key)
    WHERE look.resource_type = :resource_type AND look.id > :snapshot_id
        AND look.scope = 'keys' AND look.applied_at IS NOT NULL
)
