-- The members of a playlist.
INSERT INTO playlist_members (key, member_keys, members_at) VALUES ('c0000001', '{v0000001}', now());
