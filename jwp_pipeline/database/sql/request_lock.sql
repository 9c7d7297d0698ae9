-- Lock the account while one of its requests is decided; no row if it is not known yet.
SELECT FROM request_accounts WHERE account = :account FOR UPDATE
