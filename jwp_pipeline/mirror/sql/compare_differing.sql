-- Compares the elements whose digests differ with the rows themselves. The planned rows are 'added' if there is no live
-- row, and else 'changed'. A digest that moved alone, because JWP wrote the same data differently, is no change.
UPDATE plan
SET change = CASE
    WHEN cached.deleted_at IS NOT NULL THEN 'restored'
    WHEN cached.data = plan.data THEN 'reformatted'
    ELSE 'refreshed'
END
FROM cached_resources AS cached
WHERE cached.type = :resource_type AND cached.key = plan.key
    AND (
        cached.deleted_at IS NOT NULL
        OR cached.data - CAST(:volatile_fields AS text[]) = plan.data - CAST(:volatile_fields AS text[])
    )
