-- Adds the media channels with their edit permission. A channel without one is nobody's to edit.
INSERT INTO media_channels (
    id, title, description, billing_account_id, edit_is_public, edit_is_signed_in, edit_crsids, edit_lookup_groups,
    edit_lookup_insts, created_at, updated_at, deleted_at
)
SELECT
    channel.id, channel.title, channel.description, channel.billing_account_id, coalesce(granted.is_public, false),
    coalesce(granted.is_signed_in, false), coalesce(granted.crsids, '{}'), coalesce(granted.lookup_groups, '{}'),
    coalesce(granted.lookup_insts, '{}'), channel.created_at, channel.updated_at, channel.deleted_at
FROM webapp_channels AS channel
LEFT JOIN webapp_grants AS granted ON granted.kind = 'channel' AND granted.subject = channel.id
WHERE NOT EXISTS (SELECT FROM media_channels AS known WHERE known.id = channel.id)
