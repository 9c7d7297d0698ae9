-- Links channels with the media channels that were made for them.
UPDATE channels
SET media_channel_id = mapped.new_media_channel_id
FROM mapped_channels AS mapped
WHERE channels.key = mapped.key AND channels.media_channel_id IS NULL
