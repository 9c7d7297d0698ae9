-- Adds the billing accounts.
INSERT INTO billing_accounts (id, description, lookup_instid, created_at)
SELECT id, description, lookup_instid, created_at
FROM webapp_accounts AS account
WHERE NOT EXISTS (SELECT FROM billing_accounts AS known WHERE known.id = account.id)
