-- The site that is mirrored.
INSERT INTO mirrored_site (site_id) VALUES ('site0001');
