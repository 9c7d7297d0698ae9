-- Keeps only the mapped videos whose links were added now and whose items are in step. The next sync reads the others.
DELETE FROM mapped_videos AS mapped
WHERE NOT EXISTS (SELECT FROM videos AS known WHERE known.key = mapped.key AND known.mapped_version = 'epoch')
    OR EXISTS (SELECT FROM proposed_items AS proposed WHERE proposed.key = mapped.key AND proposed.is_due)
