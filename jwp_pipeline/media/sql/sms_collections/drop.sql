-- Drops the SMS collections that nobody owns any more.
DELETE FROM sms_collections AS sms
WHERE NOT EXISTS (SELECT FROM sms_collection_claims AS claim WHERE claim.id = sms.id AND claim.owns)
