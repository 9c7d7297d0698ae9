-- Keeps what the record has no place for.
INSERT INTO media_webapp_rows (source_table, id, reason, data)
SELECT source_table, id, reason, data FROM webapp_left
ON CONFLICT DO NOTHING
