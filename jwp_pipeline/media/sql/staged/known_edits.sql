-- The edits of the items that a sync reads, as they are before it reads them. What is edited later has another number.
CREATE TEMPORARY TABLE known_edits ON COMMIT DROP AS
SELECT edited.media_item_id, edited.field, edited.edit_number, edited.state
FROM videos_to_read
JOIN videos ON videos.key = videos_to_read.key
JOIN item_updates AS edited ON edited.media_item_id = videos.media_item_id
WHERE :pushes_edits
