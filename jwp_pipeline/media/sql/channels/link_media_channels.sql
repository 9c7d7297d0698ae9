-- Links channels to the media channels that were created for them.
UPDATE channels
SET media_channel_id = mapped.new_media_channel_id
FROM mapped_channels AS mapped
WHERE channels.key = mapped.key AND channels.media_channel_id IS NULL
