-- Forgets what an earlier sync left, because this one could not settle everything.
DELETE FROM media_side WHERE EXISTS (SELECT FROM videos WHERE awaits_listing AND deleted_at IS NULL)
