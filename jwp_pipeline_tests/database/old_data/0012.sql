-- A request of the budget.
INSERT INTO request_permits (account, lapses_at) VALUES ('one', now());
