-- Stores the upload link of an item in place of an earlier one.
INSERT INTO upload_endpoints (media_item_id, url, method, content_type, expires_at)
VALUES (:item_id, :url, :method, :content_type, clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (media_item_id) DO UPDATE
SET url = excluded.url, method = excluded.method, content_type = excluded.content_type,
    expires_at = excluded.expires_at
