"""How many examples property tests try; the profiles in conftest.py say how many it usually is."""

from hypothesis import settings


def fewer_if_quick():
    """Return how many examples a test tries if each takes long: a few in `make test`, all in `make test-all`."""
    return 6 if settings.get_current_profile_name() == "quick" else settings().max_examples
