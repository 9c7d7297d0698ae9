-- Adds the SMS ids of items that are new.
INSERT INTO sms_media_items (id, media_item_id, last_updated_at)
SELECT claim.id, claim.media_item_id, claim.last_updated_at
FROM sms_media_claims AS claim
WHERE claim.owns AND NOT EXISTS (SELECT FROM sms_media_items AS sms WHERE sms.id = claim.id)
