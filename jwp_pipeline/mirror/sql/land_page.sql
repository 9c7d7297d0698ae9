INSERT INTO raw_pages (snapshot_id, page_number, body, resource_count, keys, problems)
VALUES (:snapshot_id, :page_number, CAST(:body AS jsonb), :resource_count, CAST(:keys AS text[]), CAST(:problems AS jsonb))
