-- Updates the SMS ids to their present owners.
UPDATE sms_media_items AS sms
SET media_item_id = claim.media_item_id, last_updated_at = claim.last_updated_at
FROM sms_media_claims AS claim
WHERE claim.owns
    AND claim.id = sms.id
    AND (sms.media_item_id, sms.last_updated_at) IS DISTINCT FROM (claim.media_item_id, claim.last_updated_at)
