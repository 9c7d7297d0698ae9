"""Helpers to give tests settings, and to keep those of whoever runs the tests away from them."""

from jwp_pipeline.settings import Settings


def settings_of(simulator, api="v1"):
    """Return the settings, by field name, that lead to the simulated site by one of its APIs."""
    return {name.lower(): value for name, value in simulator.environment(api).items()}


def prefixed(options):
    """Return settings by field name, given without the prefix `jwp_`."""
    return {f"jwp_{name}": value for name, value in options.items()}


def unset_all_settings(monkeypatch):
    """Remove every setting of ours from the environment, for as long as the monkeypatch lasts."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def set_only(monkeypatch, environment):
    """Let the environment have these settings and no others, for as long as the monkeypatch lasts."""
    unset_all_settings(monkeypatch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
