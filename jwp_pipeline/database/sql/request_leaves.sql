-- The seconds until the answered request at a place, counted from 0 in the order of the answers, leaves the window.
SELECT CAST(extract(epoch FROM seen.at + :window - clock.now) AS float8)
FROM
    request_permits AS permit
    CROSS JOIN (SELECT clock_timestamp() AS now) AS clock
    CROSS JOIN LATERAL (
        SELECT coalesce(answered_at, CASE WHEN lapses_at <= clock.now THEN lapses_at END) AS at
    ) AS seen
WHERE permit.account = :account AND seen.at > clock.now - :window
ORDER BY seen.at
OFFSET :place
LIMIT 1
