-- Deletes the SMS ids that no video owns any more. One of an item that never had a video is not JW Platform's: the item
-- came from media-webapp, and with the id it would lose that nobody may edit it.
DELETE FROM sms_media_items AS sms
WHERE NOT EXISTS (SELECT FROM sms_media_claims AS claim WHERE claim.id = sms.id AND claim.owns)
    AND EXISTS (SELECT FROM videos WHERE videos.media_item_id = sms.media_item_id)
