-- The result of mapping all live channels. A NULL in a field of the media channel keeps its last good value.
CREATE TEMPORARY TABLE mapped_channels (
    key text PRIMARY KEY,
    mapped_version timestamptz NOT NULL,
    new_media_channel_id text NOT NULL,
    new_playlist_id text NOT NULL,
    new_billing_account_id text NOT NULL,
    updated bigint,
    lists_members boolean,
    title text,
    description text,
    instid text NOT NULL,
    edit_crsids text[] NOT NULL,
    edit_lookup_groups text[] NOT NULL,
    keeps_sms_collection_id boolean NOT NULL,
    sms_collection_id bigint,
    wants_playlist boolean,
    keeps_media_ids boolean NOT NULL,
    media_ids bigint[],
    keeps_sms_last_updated_at boolean NOT NULL,
    sms_last_updated_at timestamptz
) ON COMMIT DROP
