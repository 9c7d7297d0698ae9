"""Turns cached resources into media items, channels and playlists.

Mapping is done in pure Python functions, and syncing in SQL.
"""
