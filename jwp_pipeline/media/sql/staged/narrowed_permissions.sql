-- What items may keep of their view permission, of those that grant more than their ACL does.
CREATE TEMPORARY TABLE narrowed_permissions (key text PRIMARY KEY, {typed view}) ON COMMIT DROP
