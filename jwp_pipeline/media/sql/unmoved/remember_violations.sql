-- Stores what the checks found, unless it is known or anything was written since the sync that they followed.
UPDATE media_side
SET violations = CAST(:violations AS jsonb)
WHERE violations IS DISTINCT FROM CAST(:violations AS jsonb)
    AND followed_at = :followed_at
    AND NOT EXISTS (SELECT FROM unfollowed_writes)
