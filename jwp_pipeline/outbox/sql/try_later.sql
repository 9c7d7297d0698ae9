-- Records a failure that may pass.
UPDATE item_updates
SET tries = tries + 1, problem = :problem, next_try_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE media_item_id = :item_id AND state = 'waiting'
