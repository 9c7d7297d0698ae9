-- What each role may do with our tables. Whatever else the roles could do is taken away first, in the same transaction.
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {pipeline}, {application}, {reader};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {pipeline}, {application}, {reader};
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {pipeline}, {application}, {reader};
GRANT USAGE ON SCHEMA {schema} TO {pipeline}, {application}, {reader};

-- The pipeline syncs and pushes. It changes rows and no tables.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {pipeline};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {pipeline};
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {pipeline};
-- For tables that the owner makes later, when a new version migrates the schema.
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {pipeline};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {pipeline};
DO $$
DECLARE
    partition regclass;
BEGIN
    -- Old pages are dropped by emptying the partition that they are in.
    FOR partition IN SELECT relid FROM pg_partition_tree('raw_pages') WHERE isleaf LOOP
        EXECUTE format('GRANT TRUNCATE ON %s TO {pipeline}', partition);
    END LOOP;
    -- Before PostgreSQL 17 only the owner may analyze and vacuum a table, so autovacuum has to do it.
    IF current_setting('server_version_num')::integer >= 170000 THEN
        GRANT MAINTAIN ON ALL TABLES IN SCHEMA {schema} TO {pipeline};
    END IF;
END $$;

-- An application reads the record, and edits what is pushed to JW Platform. Triggers record its edits in the outbox with
-- the rights of the owner. It may withdraw an item, and make a new one.
GRANT SELECT ON
    media_items, media_channels, playlists, billing_accounts, videos, channels, cached_resources, sms_media_items,
    sms_collections, live_videos, live_channels, item_updates, item_creations
    TO {application};
GRANT UPDATE (
    title, description, downloadable, language, copyright, tags, published_at, view_is_public, view_is_signed_in,
    view_crsids, view_lookup_groups, view_lookup_insts, updated_at, deleted_at
) ON media_items TO {application};
GRANT INSERT ON media_items TO {application};
GRANT INSERT (media_item_id, source_url, mime_type, created_by) ON item_creations TO {application};

-- A reader sees everything but the links with which anybody may replace the file of an item.
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader};
REVOKE ALL ON upload_endpoints FROM {reader};
