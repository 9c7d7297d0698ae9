-- Keeps what the record has no place for, as it is now, if it was kept before.
INSERT INTO media_webapp_rows AS known (source_table, id, reason, data)
SELECT source_table, id, reason, data FROM webapp_left
ON CONFLICT (source_table, id, reason) DO UPDATE
SET data = excluded.data, imported_at = excluded.imported_at
WHERE known.data IS DISTINCT FROM excluded.data
