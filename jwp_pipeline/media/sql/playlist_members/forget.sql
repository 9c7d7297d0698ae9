-- Deletes members that no longer count: a v1 channel lists no members itself, even if the same key did so in v2.
DELETE FROM playlist_members AS known
USING mapped_channels AS mapped
WHERE mapped.key = known.key AND NOT mapped.lists_members
