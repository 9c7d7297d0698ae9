-- Finds the columns of the schemas :schemas that hold times: for each, its table, its name, an expression for it as a
-- time, and one for it moved back by the parameter `by`. Dagster stores some times as numbers, seconds since the epoch.
SELECT
    format('%I.%I', columns.table_schema, columns.table_name) AS "table",
    format('%I', columns.column_name) AS "column",
    CASE data_type
        WHEN 'double precision' THEN format('to_timestamp(%I)', column_name)
        ELSE format('CAST(%I AS timestamptz)', column_name)
    END AS as_time,
    CASE data_type
        WHEN 'double precision' THEN format('%I - extract(epoch FROM CAST(\:by AS interval))', column_name)
        ELSE format('%I - CAST(\:by AS interval)', column_name)
    END AS moved
FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = ANY (:schemas)
    AND table_type = 'BASE TABLE'
    AND is_generated = 'NEVER'
    AND (
        data_type LIKE 'timestamp%'
        OR (table_name = 'runs' AND column_name IN ('start_time', 'end_time'))
    )
ORDER BY 1, 2
