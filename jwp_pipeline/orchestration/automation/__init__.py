"""What runs by itself: schedules, sensors, alerts, freshness policies, and how long a sensor backs off."""
