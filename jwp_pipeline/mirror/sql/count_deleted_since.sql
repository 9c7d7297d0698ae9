-- Counts what reads of changes and looks have deleted since the last complete listing, without what somebody released.
SELECT count(*)
FROM resource_changes AS change
JOIN raw_snapshots AS snapshot ON snapshot.id = change.snapshot_id
WHERE change.snapshot_id > (
        SELECT coalesce(max(listing.id), 0) FROM raw_snapshots AS listing
        WHERE listing.resource_type = :resource_type AND listing.complete AND listing.applied_at IS NOT NULL
    )
    AND change.type = :resource_type
    AND change.change = 'deleted'
    AND snapshot.released_at IS NULL
