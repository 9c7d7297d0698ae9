-- Says of each channel that it and its playlist are in step now with what is cached of it.
UPDATE channels
SET mapped_version = mapped.mapped_version
FROM mapped_channels AS mapped
WHERE channels.key = mapped.key AND channels.mapped_version IS DISTINCT FROM mapped.mapped_version
