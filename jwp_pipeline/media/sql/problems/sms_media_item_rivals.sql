-- Notes a problem for each video whose SMS id belongs to another video.
INSERT INTO found_problems (key, field, value, problem)
SELECT key, 'sms_media_id', id::text, format('video %s has this SMS id, too, and owns it', owner_key)
FROM sms_media_claims
WHERE NOT owns AND NOT is_withdrawn
