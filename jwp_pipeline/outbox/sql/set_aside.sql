-- Records that an edit is in conflict or refused, with the values of both sides. An edit that was made meanwhile waits.
UPDATE item_updates
SET state = :state, problem = :problem, ours = CAST(:ours AS jsonb), theirs = CAST(:theirs AS jsonb), next_try_at = NULL,
    attempted = NULL
WHERE media_item_id = :item_id AND field = :field AND state = 'waiting' AND edit_number = :number
