INSERT INTO channels (key, updated)
SELECT mapped.key, coalesce(mapped.updated, 0)
FROM mapped_channels AS mapped
WHERE NOT EXISTS (SELECT FROM channels WHERE channels.key = mapped.key)
