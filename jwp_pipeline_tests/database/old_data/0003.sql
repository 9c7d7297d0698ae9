-- A day of the history.
INSERT INTO library_history (day, type, live, added, complete)
VALUES ('2020-01-01', 'video', 3, 3, true);
