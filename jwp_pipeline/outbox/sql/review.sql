-- This database, by what a restored copy has of its own: the ids of the database and of a table, and the server's
-- timeline after a recovery; and the database whose edits were reviewed.
SELECT
    (SELECT reviewed_database FROM write_back) AS reviewed_database,
    concat_ws(
        '/',
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'item_updates'::regclass::oid,
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint())
    ) AS database
