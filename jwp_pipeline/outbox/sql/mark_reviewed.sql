-- Remembers this database, as review.sql names it.
INSERT INTO write_back (reviewed_database, reviewed_at)
VALUES (
    concat_ws(
        '/',
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'item_updates'::regclass::oid,
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint())
    ),
    now()
)
ON CONFLICT (singleton) DO UPDATE
SET reviewed_database = excluded.reviewed_database, reviewed_at = excluded.reviewed_at
