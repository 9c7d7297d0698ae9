-- The application may also decide about edits in conflict, or refused (`resolve`).
GRANT UPDATE, DELETE ON item_updates TO {application};
GRANT UPDATE (state, tries, next_try_at, problem) ON item_creations TO {application};
GRANT UPDATE (awaits_listing) ON videos TO {application};
GRANT USAGE ON SEQUENCE edit_numbers TO {application};
