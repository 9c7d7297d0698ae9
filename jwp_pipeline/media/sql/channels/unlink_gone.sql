-- Marks the links of channels that are gone as deleted.
UPDATE channels
SET deleted_at = now()
WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM mapped_channels AS mapped WHERE mapped.key = channels.key)
