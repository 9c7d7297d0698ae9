-- Adds a row for each new video whose item was settled in the same sync, with what remember.sql would store. Adding the
-- row only now spares writing it, and its entries in the indexes, twice.
INSERT INTO videos (
    key, media_item_id, updated, sms_media_id, sms_last_updated_at, mapped_version, wants_item, had_acl, acl_state,
    view_digest
)
SELECT
    mapped.key,
    proposed.item_id,
    coalesce(mapped.updated, 0),
    CASE WHEN proposed.is_due THEN mapped.sms_media_id END,
    CASE WHEN proposed.is_due AND NOT mapped.keeps_sms_media_id THEN mapped.sms_last_updated_at END,
    mapped.mapped_version,
    mapped.wants_item,
    mapped.acl_state <> 'absent',
    mapped.acl_state,
    CASE WHEN :strict_acls THEN proposed.view_digest END
FROM mapped_videos AS mapped
LEFT JOIN proposed_items AS proposed ON proposed.key = mapped.key
WHERE NOT EXISTS (SELECT FROM videos WHERE videos.key = mapped.key)
