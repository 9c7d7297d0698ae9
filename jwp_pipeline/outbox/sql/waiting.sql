-- What is on its way to JW Platform, and what is stuck.
SELECT
    (SELECT count(DISTINCT media_item_id) FROM item_updates WHERE state <> 'pushed' AND state = 'waiting')
        + (SELECT count(*) FROM item_creations WHERE state <> 'created' AND state = 'waiting') AS waiting,
    (SELECT count(*) FROM item_updates WHERE state <> 'pushed' AND state = 'conflict') AS conflicts,
    (SELECT count(*) FROM item_updates WHERE state <> 'pushed' AND state = 'refused')
        + (SELECT count(*) FROM item_creations WHERE state <> 'created' AND state = 'refused') AS refused,
    (
        SELECT extract(epoch FROM clock_timestamp() - min(since))
        FROM (
            SELECT min(requested_at) AS since FROM item_updates WHERE state <> 'pushed' AND state = 'waiting'
            UNION ALL
            SELECT min(requested_at) FROM item_creations WHERE state <> 'created' AND state = 'waiting'
        ) AS oldest
    ) AS oldest_seconds
