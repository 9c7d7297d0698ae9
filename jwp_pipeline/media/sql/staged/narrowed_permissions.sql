-- The part of the view permission that an item may keep, for items that grant more than their ACL does.
CREATE TEMPORARY TABLE narrowed_permissions (key text PRIMARY KEY, {typed view}) ON COMMIT DROP
