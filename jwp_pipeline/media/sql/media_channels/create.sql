-- Creates a media channel for each channel that has none. If its institution has several billing accounts, the oldest
-- counts.
INSERT INTO media_channels (id, title, description, billing_account_id, edit_crsids, edit_lookup_groups)
SELECT
    mapped.new_media_channel_id,
    coalesce(mapped.title, ''),
    coalesce(mapped.description, ''),
    account.id,
    mapped.edit_crsids,
    mapped.edit_lookup_groups
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
JOIN (
    SELECT DISTINCT ON (lookup_instid) id, lookup_instid FROM billing_accounts ORDER BY lookup_instid, created_at, id
) AS account ON account.lookup_instid = mapped.instid
WHERE channels.media_channel_id IS NULL
