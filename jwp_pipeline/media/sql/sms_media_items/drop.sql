-- Deletes the SMS ids that no video owns any more.
DELETE FROM sms_media_items AS sms
WHERE NOT EXISTS (SELECT FROM sms_media_claims AS claim WHERE claim.id = sms.id AND claim.owns)
