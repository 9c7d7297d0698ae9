-- Brings the media channels of live channels in step, except those that were withdrawn here. The billing account never
-- changes. Only the creator and the group may edit a channel, so the other columns of the permission are cleared.
UPDATE media_channels AS channel
SET title = coalesce(mapped.title, channel.title),
    description = coalesce(mapped.description, channel.description),
    edit_is_public = false,
    edit_is_signed_in = false,
    edit_crsids = mapped.edit_crsids,
    edit_lookup_groups = mapped.edit_lookup_groups,
    edit_lookup_insts = '{}',
    updated_at = now(),
    deleted_at = NULL
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
WHERE channel.id = channels.media_channel_id
    AND (
        channel.deleted_at = channels.media_channel_deleted_at
        OR channel.deleted_at IS NULL AND (
            channel.title, channel.description, channel.edit_is_public, channel.edit_is_signed_in, channel.edit_crsids,
            channel.edit_lookup_groups, channel.edit_lookup_insts
        ) IS DISTINCT FROM (
            coalesce(mapped.title, channel.title), coalesce(mapped.description, channel.description), false, false,
            mapped.edit_crsids, mapped.edit_lookup_groups, '{}'::text[]
        )
    )
