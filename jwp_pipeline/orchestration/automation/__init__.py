"""Everything that runs by itself: schedules, sensors and their back-off, alerts, and freshness policies."""
