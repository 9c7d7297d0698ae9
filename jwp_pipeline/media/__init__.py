"""From cached resources to media items, channels and playlists. Mapping is pure; syncing is SQL."""
