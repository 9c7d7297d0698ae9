-- What is known of the roles, the schema and the user who asks, before rights are granted.
SELECT
    current_user AS asking,
    current_database() AS database,
    (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :schema) AS owner_of_schema,
    ARRAY (SELECT rolname::text FROM pg_roles WHERE rolname = ANY (CAST(:roles AS text[]))) AS existing,
    (SELECT pg_has_role(rolname, 'MEMBER') FROM pg_roles WHERE rolname = :owner) AS is_owner,
    (SELECT has_database_privilege(rolname, current_database(), 'CREATE') FROM pg_roles WHERE rolname = :owner) AS may_create
