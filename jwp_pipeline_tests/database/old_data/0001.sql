-- The first version mirrors three videos and a channel.
INSERT INTO raw_snapshots (resource_type, api_version, status, complete, expected_total, resource_count, key_count,
    page_count, applied_at, newest_change)
SELECT type, 'v1', 'verified', true, count, count, count, 1, now(), now() - interval '1 day'
FROM (VALUES ('video', 3), ('channel', 1), ('video', 3)) AS read (type, count);
INSERT INTO raw_pages (snapshot_id, page_number, body, resource_count, keys)
SELECT snapshot.id, 1, jsonb_build_object('status', 'ok', resource_type || 's', listed.resources),
    jsonb_array_length(listed.resources), ARRAY (SELECT r ->> 'key' FROM jsonb_array_elements(listed.resources) AS r)
FROM raw_snapshots AS snapshot
JOIN jsonb_each(CAST(:listed AS jsonb)) AS listed (type, resources) ON listed.type = snapshot.resource_type;
INSERT INTO cached_resources (type, key, data, created_at, updated_at)
SELECT type, resource ->> 'key', resource, '2020-01-01Z', '2020-02-02Z'
FROM jsonb_each(CAST(:listed AS jsonb)) AS listed (type, resources), jsonb_array_elements(resources) AS resource;
INSERT INTO cached_resources (type, key, data, deleted_at)
VALUES ('video', 'vgone001', '{}', '2021-01-01Z');
INSERT INTO resource_changes (snapshot_id, type, key, change, changed_fields)
VALUES (1, 'video', 'v0000001', 'added', NULL),
    (3, 'video', 'vgone001', 'deleted', NULL),
    (3, 'video', 'v0000002', 'changed', '{"title": ["Before", "Was edited"]}');
INSERT INTO sync_problems (stage, type, key, field, value, problem)
VALUES ('map', 'video', 'v0000003', 'date', 'x', 'is no date');
