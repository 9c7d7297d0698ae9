-- Deletes the SMS ids that no video owns any more. The SMS id of an item that never had a video stays: the item came from
-- media-webapp, and as long as it has the id, nobody may edit it.
DELETE FROM sms_media_items AS sms
WHERE NOT EXISTS (SELECT FROM sms_media_claims AS claim WHERE claim.id = sms.id AND claim.owns)
    AND EXISTS (SELECT FROM videos WHERE videos.media_item_id = sms.media_item_id)
