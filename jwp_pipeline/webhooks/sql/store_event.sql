-- Stores an event as it is received. The same event again stores nothing.
INSERT INTO jwp_events (event, site_id, webhook_id, type, key, event_time, handled_at)
VALUES (
    :event, :site_id, :webhook_id, :type, :key, :event_time,
    CASE WHEN NOT CAST(:asks_for_a_look AS boolean) THEN clock_timestamp() END
)
ON CONFLICT DO NOTHING
