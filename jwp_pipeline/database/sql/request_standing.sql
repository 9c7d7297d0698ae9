-- What counts for the next request of an account: earlier requests, a hold, and the lines of other processes.
SELECT
    CAST(coalesce(extract(epoch FROM account.not_before - clock.now), 0) AS float8) AS held_for,
    counted.answered,
    counted.under_way,
    line.edits,
    line.looks,
    line.writers
FROM
    request_accounts AS account
    CROSS JOIN (SELECT clock_timestamp() AS now) AS clock
    CROSS JOIN LATERAL (
        SELECT
            count(*) FILTER (WHERE seen.at > clock.now - :window) AS answered,
            count(*) FILTER (WHERE seen.at IS NULL) AS under_way
        FROM
            request_permits AS permit
            CROSS JOIN LATERAL (
                SELECT coalesce(answered_at, CASE WHEN lapses_at <= clock.now THEN lapses_at END) AS at
            ) AS seen
        WHERE permit.account = account.account
    ) AS counted
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(edits), 0) AS edits,
            coalesce(sum(looks), 0) AS looks,
            coalesce(sum(writers), 0) AS writers
        FROM request_lines AS other
        WHERE other.account = account.account AND process <> :process AND lapses_at > clock.now
    ) AS line
WHERE account.account = :account
