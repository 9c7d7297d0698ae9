-- Channel and playlist are in step now with what was cached of them.
UPDATE channels
SET looked_at = mapped.looked_at
FROM mapped_channels AS mapped
WHERE channels.key = mapped.key AND channels.looked_at IS DISTINCT FROM mapped.looked_at
