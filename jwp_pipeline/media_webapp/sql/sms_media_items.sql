-- Adds the SMS ids of items.
INSERT INTO sms_media_items (id, media_item_id, last_updated_at)
SELECT id, item_id, last_updated_at
FROM webapp_sms_items AS sms
WHERE item_id IS NOT NULL AND NOT EXISTS (SELECT FROM sms_media_items AS known WHERE known.id = sms.id)
