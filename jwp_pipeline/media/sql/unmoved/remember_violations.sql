-- Stores what the checks found, unless anything was written since the sync that they followed.
UPDATE media_side
SET violations = CAST(:violations AS jsonb)
WHERE violations IS NULL AND followed_at = :followed_at AND NOT EXISTS (SELECT FROM unfollowed_writes)
