-- Stores JW Platform's answer about the members of a playlist. Members that were read replace the known ones, while a
-- failure leaves them and only records the problem.
INSERT INTO playlist_members AS known (key, member_keys, members_at, problem)
VALUES (:key, CAST(:member_keys AS text[]), CAST(:members_at AS timestamptz), CAST(:problem AS text))
ON CONFLICT (key) DO UPDATE
SET member_keys = coalesce(excluded.member_keys, known.member_keys),
    members_at = coalesce(excluded.members_at, known.members_at),
    problem = excluded.problem
