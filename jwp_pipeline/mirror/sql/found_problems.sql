INSERT INTO found_problems (key, field, value, problem)
SELECT found.key, found.field, found.value, found.problem
FROM raw_pages AS page
CROSS JOIN LATERAL jsonb_to_recordset(page.problems) AS found (key text, field text, value text, problem text)
WHERE page.snapshot_id = :snapshot_id
