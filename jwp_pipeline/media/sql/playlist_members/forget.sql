-- Forgets members that no longer count: a channel of v1 lists no members of its own, whatever the same key did in v2.
DELETE FROM playlist_members AS known
USING mapped_channels AS mapped
WHERE mapped.key = known.key AND NOT mapped.lists_members
