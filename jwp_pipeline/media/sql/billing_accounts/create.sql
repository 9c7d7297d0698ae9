-- Creates the billing accounts that new media channels need.
INSERT INTO billing_accounts (id, description, lookup_instid)
SELECT DISTINCT ON (mapped.instid)
    mapped.new_billing_account_id, 'Lookup institution ' || mapped.instid, mapped.instid
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
WHERE channels.media_channel_id IS NULL
    AND NOT EXISTS (SELECT FROM billing_accounts AS account WHERE account.lookup_instid = mapped.instid)
ORDER BY mapped.instid, mapped.key
