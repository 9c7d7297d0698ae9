-- The permission of each item and channel. Where several rows disagree, nobody is granted anything. media-webapp forbids that.
CREATE TEMPORARY TABLE webapp_grants ON COMMIT DROP AS
SELECT DISTINCT ON (kind, subject)
    kind,
    subject,
    rows_found,
    agree AND is_public AS is_public,
    agree AND is_signed_in AS is_signed_in,
    CASE WHEN agree THEN crsids ELSE '{}' END AS crsids,
    CASE WHEN agree THEN lookup_groups ELSE '{}' END AS lookup_groups,
    CASE WHEN agree THEN lookup_insts ELSE '{}' END AS lookup_insts,
    agree
FROM (
    SELECT
        given.kind, given.subject, permission.*,
        count(*) OVER same AS rows_found,
        min(hash_record_extended(ROW (is_public, is_signed_in, crsids, lookup_groups, lookup_insts), 0)) OVER same
            = max(hash_record_extended(ROW (is_public, is_signed_in, crsids, lookup_groups, lookup_insts), 0)) OVER same
            AS agree
    FROM webapp_permissions AS permission
    CROSS JOIN LATERAL (
        VALUES
            ('item', allows_view_item_id),
            ('channel', allows_edit_channel_id),
            ('playlist', allows_view_playlist_id),
            ('account', allows_create_channel_on_billing_account_id)
    ) AS given (kind, subject)
    WHERE given.subject IS NOT NULL
    WINDOW same AS (PARTITION BY given.kind, given.subject)
) AS found
ORDER BY kind, subject, id
