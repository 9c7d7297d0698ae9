"""The files of the demo's JW Platform under JWP_HOME, and how they are read.

Put here nothing that takes time to load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

URL = "JWPLATFORM_MANAGEMENT_API_URL"

REQUESTS_PER_MINUTE = 600
"""The rate limit of the demo's site, and what the pipeline asks it at most. JW Platform's 60 would make people wait."""


class DemoFiles:
    """The paths in a demo's folder, and what is in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site.json"  # the site itself, with its secrets; mode 0600
        self.served = folder / "served.json"  # the settings for it, from when it is served on; mode 0600
        self.log = folder / "log"  # what the last server had to say, which is nothing if all went well
        self.start_lock = folder / "start.lock"  # held by a process that starts, joins or stops the server
        self.users_lock = folder / "users.lock"  # shared by all processes that use the server
        self.server_lock = folder / "server.lock"  # held by the server

    @classmethod
    def of(cls, home: Path) -> DemoFiles:
        """Return the files in JWP_HOME."""
        return cls(home.resolve() / "demo")

    def environment(self) -> Mapping[str, str] | None:
        """Return the settings for the site as environment variables, or None if it has never been served."""
        try:
            settings = json.loads(self.served.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        usable = isinstance(settings, dict) and all(isinstance(value, str) for value in settings.values())
        return settings if usable and URL in settings else None

    def last_port(self) -> int | None:
        """Return the port on which the site was served the last time, or None."""
        try:
            return urlsplit((self.environment() or {}).get(URL, "")).port
        except ValueError:
            return None
