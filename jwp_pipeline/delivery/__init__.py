"""Says where a video plays: signed URLs, players and posters, and the files and streams that JW Platform has of it.

urls.py computes without a network; sources.py asks the Delivery API. The modules here use no database and no Dagster.
"""

from jwp_pipeline.delivery.sources import Source, get_sources
from jwp_pipeline.delivery.urls import (
    embed_player,
    pd_api_url,
    player_embed_url,
    player_library_url,
    poster_url,
    signed_url,
)

__all__ = [
    "Source",
    "embed_player",
    "get_sources",
    "pd_api_url",
    "player_embed_url",
    "player_library_url",
    "poster_url",
    "signed_url",
]
