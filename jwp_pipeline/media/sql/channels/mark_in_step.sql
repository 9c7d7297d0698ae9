-- Records that each channel and its playlist are now in step with the cached resource.
UPDATE channels
SET mapped_version = mapped.mapped_version
FROM mapped_channels AS mapped
WHERE channels.key = mapped.key AND channels.mapped_version IS DISTINCT FROM mapped.mapped_version
