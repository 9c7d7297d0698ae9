-- Notes a problem for each channel that lists items of another channel.
INSERT INTO found_problems (key, field, value, problem)
SELECT
    key,
    'items',
    left(string_agg(media_item_id, ', ' ORDER BY media_item_id), 500),
    format('%s of its items are listed by other channels, too, and belong to one with a smaller key', count(*))
FROM (
    SELECT DISTINCT
        key, media_item_id, first_value(key) OVER (PARTITION BY media_item_id ORDER BY key COLLATE "C") AS owner_key
    FROM members
    WHERE is_live
) AS listed
WHERE key <> owner_key
GROUP BY key
