-- An event that waits.
INSERT INTO jwp_events (event, site_id, webhook_id, type, key, event_time)
VALUES ('media_updated', 'site0001', 'webhook1', 'video', 'v0000001', now());
