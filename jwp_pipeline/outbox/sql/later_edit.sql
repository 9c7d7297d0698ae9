-- Records that a field was edited while its item's video was being created.
INSERT INTO item_updates (media_item_id, field, base, base_updated)
VALUES (:item_id, :field, CAST(:base AS jsonb), :updated)
ON CONFLICT (media_item_id, field) DO NOTHING
