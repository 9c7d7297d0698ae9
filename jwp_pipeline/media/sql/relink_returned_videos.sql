-- Videos that were gone since they were last looked at, whether a sync saw them go or the cache alone did. Marked, since
-- it may be a later sync that looks at them.
UPDATE videos
SET deleted_at = NULL, returned = true
FROM mapped_videos AS mapped
WHERE videos.key = mapped.key
    AND (
        videos.deleted_at IS NOT NULL
        OR (
            NOT videos.returned
            AND videos.looked_at < mapped.looked_at
            AND EXISTS (
                SELECT FROM resource_changes AS change
                WHERE change.type = 'video' AND change.key = mapped.key
                    AND change.change = 'restored' AND change.changed_at > videos.looked_at
            )
        )
    )
