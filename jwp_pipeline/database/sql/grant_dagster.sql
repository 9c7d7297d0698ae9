-- Dagster keeps its runs in a schema beside ours, in which the pipeline's role makes the tables.
CREATE SCHEMA IF NOT EXISTS {dagster};
DO $$
DECLARE
    name regclass;
BEGIN
    IF NOT has_schema_privilege({pipeline_text}, {dagster_text}, 'CREATE') THEN
        GRANT USAGE, CREATE ON SCHEMA {dagster} TO {pipeline};
    END IF;
    -- Tables that the owner made while it was the only role.
    FOR name IN
        SELECT oid FROM pg_class
        WHERE relnamespace = {dagster_text}::regnamespace AND relkind IN ('r', 'S')
            AND relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    LOOP
        EXECUTE format('GRANT ALL ON %s TO {pipeline}', name);
    END LOOP;
END $$;
