-- Keeps only the mapped channels whose links were added now.
DELETE FROM mapped_channels AS mapped
WHERE NOT EXISTS (
    SELECT FROM channels AS known
    JOIN webapp_jwp_channels AS there ON there.key = known.key
    WHERE known.key = mapped.key AND known.mapped_version IS NULL
)
