-- Deletes the SMS collections that no channel owns any more.
DELETE FROM sms_collections AS sms
WHERE NOT EXISTS (SELECT FROM sms_collection_claims AS claim WHERE claim.id = sms.id AND claim.owns)
