-- Remembers the database that was reviewed, as review.sql names it.
INSERT INTO write_back (reviewed_database, reviewed_at)
VALUES (:database, now())
ON CONFLICT (singleton) DO UPDATE
SET reviewed_database = excluded.reviewed_database, reviewed_at = excluded.reviewed_at
