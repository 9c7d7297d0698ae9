-- Notes a problem for each channel whose SMS collection belongs to another channel.
INSERT INTO found_problems (key, field, value, problem)
SELECT key, 'sms_collection_id', id::text, format('channel %s has this SMS collection, too, and owns it', owner_key)
FROM sms_collection_claims
WHERE NOT owns
