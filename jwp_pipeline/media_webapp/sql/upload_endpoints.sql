-- Adds the upload links, which v1 of JW Platform's API gave.
INSERT INTO upload_endpoints (media_item_id, url, method, expires_at)
SELECT item_id, url, 'POST', expires_at
FROM webapp_endpoints AS endpoint
WHERE NOT EXISTS (SELECT FROM upload_endpoints AS known WHERE known.media_item_id = endpoint.item_id)
