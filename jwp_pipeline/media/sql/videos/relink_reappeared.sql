-- Marks videos that were gone at some time since they were last read, even if no sync ran while they were gone. A later
-- sync may be the one that restores their items.
UPDATE videos
SET deleted_at = NULL, reappeared = true, pushed_updated = NULL, pushed_at = NULL, awaits_listing = false
FROM mapped_videos AS mapped
WHERE videos.key = mapped.key
    AND (
        videos.deleted_at IS NOT NULL
        OR (
            NOT videos.reappeared
            AND videos.mapped_version < mapped.mapped_version
            AND EXISTS (
                SELECT FROM resource_changes AS change
                WHERE change.type = 'video' AND change.key = mapped.key
                    AND change.change = 'restored' AND change.changed_at > videos.mapped_version
            )
        )
    )
