-- Let a request begin, and forget those that left the window long ago.
WITH forgotten AS (
    DELETE FROM request_permits
    WHERE coalesce(answered_at, lapses_at) < clock_timestamp() - 2 * CAST(:window AS interval)
)
INSERT INTO request_permits (account, lapses_at)
VALUES (:account, clock_timestamp() + :lapse)
RETURNING id
