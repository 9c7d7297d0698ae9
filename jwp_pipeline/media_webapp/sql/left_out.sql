-- What the record has no place for, with the reason. It is kept as JSON, so that nothing is lost.
CREATE TEMPORARY TABLE webapp_left ON COMMIT DROP AS
SELECT 'mediaplatform_permission' AS source_table, permission.id, 'view permission of a playlist' AS reason,
    to_jsonb(permission) AS data
FROM webapp_permissions AS permission
WHERE allows_view_playlist_id IS NOT NULL
    AND NOT (is_public AND NOT is_signed_in AND cardinality(crsids || lookup_groups || lookup_insts) = 0)
UNION ALL
SELECT 'mediaplatform_permission', permission.id, 'who may create channels on a billing account', to_jsonb(permission)
FROM webapp_permissions AS permission
WHERE allows_create_channel_on_billing_account_id IS NOT NULL
UNION ALL
SELECT 'mediaplatform_permission', permission.id, 'permission that belongs to nothing', to_jsonb(permission)
FROM webapp_permissions AS permission
WHERE coalesce(
    allows_view_item_id, allows_edit_channel_id, allows_view_playlist_id, allows_create_channel_on_billing_account_id
) IS NULL
UNION ALL
SELECT 'mediaplatform_permission', permission.id, 'one of several permissions of one thing', to_jsonb(permission)
FROM webapp_permissions AS permission
WHERE EXISTS (
    SELECT FROM webapp_grants AS granted
    WHERE granted.rows_found > 1
        AND (
            (granted.kind = 'item' AND granted.subject = permission.allows_view_item_id)
            OR (granted.kind = 'channel' AND granted.subject = permission.allows_edit_channel_id)
        )
)
UNION ALL
SELECT 'mediaplatform_permission', permission.id, 'permission of something that is not there', to_jsonb(permission)
FROM webapp_permissions AS permission
WHERE (
        allows_view_item_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM webapp_items AS item WHERE item.id = allows_view_item_id)
    )
    OR (
        allows_edit_channel_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM webapp_channels AS channel WHERE channel.id = allows_edit_channel_id)
    )
UNION ALL
SELECT 'mediaplatform_transcriptionrequest', request.id, 'transcription request', to_jsonb(request)
FROM webapp_transcriptions AS request
UNION ALL
SELECT 'mediaplatform_mediaitem', item.id, 'URL that the item was fetched from',
    jsonb_build_object('initially_fetched_from_url', item.initially_fetched_from_url)
FROM webapp_items AS item
WHERE item.initially_fetched_from_url <> ''
UNION ALL
SELECT 'mediaplatform_billingaccount', account.id, 'when a billing account was last saved',
    jsonb_build_object('updated_at', account.updated_at)
FROM webapp_accounts AS account
UNION ALL
SELECT 'legacysms_mediaitem', sms.id::text, 'SMS id whose item is gone for good', to_jsonb(sms)
FROM webapp_sms_items AS sms
WHERE sms.item_id IS NULL
UNION ALL
SELECT 'legacysms_collection', sms.id::text, 'SMS id whose channel is gone for good', to_jsonb(sms)
FROM webapp_sms_collections AS sms
WHERE sms.channel_id IS NULL
UNION ALL
SELECT 'mediaplatform_jwp_cachedresource', resource.key, 'resource that is neither video nor channel', to_jsonb(resource)
FROM webapp_resources AS resource
WHERE resource.type NOT IN ('video', 'channel', '')
