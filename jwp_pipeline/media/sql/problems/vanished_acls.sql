-- Notes a problem for each item whose permission is kept because its ACL has vanished.
INSERT INTO found_problems (key, field, value, problem)
SELECT
    key, 'sms_acl', '', 'has vanished: the permission stays as it was until there is one again'
FROM videos
WHERE acl_state = 'vanished' AND media_item_id IS NOT NULL AND deleted_at IS NULL
