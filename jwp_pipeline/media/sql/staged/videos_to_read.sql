-- The live cached videos that a sync has to read: all of them, or those that are new, returned, changed since they were
-- last read, or pushed since. With strict ACLs, these include videos whose item no longer has the permission that the
-- last sync left. They also include videos without an ACL whose item grants more than JWP_DEFAULT_ACL, because somebody
-- may have made that narrower. A later statement fetches the data, so that indexes alone can answer this one.
CREATE TEMPORARY TABLE videos_to_read ON COMMIT DROP AS
SELECT cached.key
FROM cached_resources AS cached
LEFT JOIN videos ON videos.key = cached.key
LEFT JOIN media_items AS item ON item.id = videos.media_item_id
WHERE cached.type = 'video'
    AND cached.deleted_at IS NULL
    AND (
        :sync_all
        OR videos.key IS NULL
        OR videos.deleted_at IS NOT NULL
        OR videos.mapped_version IS DISTINCT FROM cached.updated_at
        OR videos.acl_state IS NULL
        OR videos.awaits_listing
        OR item.deleted_at = videos.item_deleted_at
        OR (videos.media_item_id IS NULL AND (:create_all OR videos.wants_item))
        OR (
            :strict_acls
            AND item.id IS NOT NULL
            AND (
                videos.view_digest IS DISTINCT FROM hash_record_extended(ROW ({item.view}), 0)
                OR (
                    videos.acl_state = 'absent'
                    AND NOT :default_is_public
                    AND (
                        item.view_is_public
                        OR (
                            NOT :default_is_signed_in
                            AND (
                                item.view_is_signed_in
                                OR NOT item.view_crsids <@ CAST(:default_crsids AS text[])
                                OR NOT item.view_lookup_groups <@ CAST(:default_lookup_groups AS text[])
                                OR NOT item.view_lookup_insts <@ CAST(:default_lookup_insts AS text[])
                            )
                        )
                    )
                )
            )
        )
    )
