-- What metrics tell beyond the status: live rows of the record, and the requests to JW Platform that were begun so far.
SELECT
    (SELECT count(*) FROM media_items WHERE deleted_at IS NULL) AS media_items,
    (SELECT count(*) FROM media_channels WHERE deleted_at IS NULL) AS media_channels,
    (SELECT count(*) FROM playlists WHERE deleted_at IS NULL) AS playlists,
    -- Each request is a row with a number of its own; old rows are deleted.
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM request_permits_id_seq) AS requests
