INSERT INTO raw_pages (slot, snapshot_id, page_number, body, mended, resource_count, keys, digests, problems)
SELECT
    coalesce(snapshot.slot, 0), snapshot.id, :page_number, :body, :mended, :resource_count,
    CAST(:keys AS text[]), CAST(:digests AS uuid[]), CAST(:problems AS jsonb)
FROM raw_snapshots AS snapshot
WHERE snapshot.id = :snapshot_id
