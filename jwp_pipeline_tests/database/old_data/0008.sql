-- An edit that waits, and an upload link.
UPDATE write_back SET records_edits = true;
UPDATE media_items SET title = 'Edited here' WHERE id = '_item000002';
INSERT INTO upload_endpoints (media_item_id, url, method, expires_at)
VALUES ('-item000001', 'https://upload.example/1', 'PUT', now());
