-- The result of mapping the videos that were read. A NULL in a field of the item keeps its last good value.
CREATE TEMPORARY TABLE mapped_videos (
    key text PRIMARY KEY,
    mapped_version timestamptz NOT NULL,
    new_item_id text NOT NULL,
    updated bigint,
    wants_item boolean NOT NULL,
    keeps_sms_media_id boolean NOT NULL,
    sms_media_id bigint,
    keeps_sms_last_updated_at boolean NOT NULL,
    sms_last_updated_at timestamptz,
    acl_state text NOT NULL,
    follows_push boolean NOT NULL,
    pushed_at timestamptz,
    {typed fields}
) ON COMMIT DROP
