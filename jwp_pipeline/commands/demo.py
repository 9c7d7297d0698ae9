"""Uses a simulated JW Platform in place of a real site, for people who have no JW Platform at hand.

This happens only if no JWPLATFORM_* credential is configured at all; check `required_settings` reports an incomplete
configuration. All commands with the same JWP_HOME speak with one site, which remembers everything (demo_server.py).
Put here what a process does to use it; the simulator itself is in simulator/, and demo_history.py gives it a past.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jwp_pipeline.commands.demo_files import REQUESTS_PER_MINUTE, URL, DemoFiles
from jwp_pipeline.database import embedded
from jwp_pipeline.database.embedded.layout import locked, open_lock, try_lock
from jwp_pipeline.errors import PipelineError, SettingsError
from jwp_pipeline.processes import start_with_lock
from jwp_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    import requests

_START_SECONDS = 40.0
_ANSWER_SECONDS = 30.0
_LOG_LINES = 15
_START_AGAIN = "End all programs that use it, and start again."


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo site."""

    url: str
    settings: Settings
    """The configured settings, with the simulator as the JWP site."""
    is_new: bool
    """Whether its library has just been made."""

    def state(self) -> dict[str, Any]:
        """Return the state of the site, as the simulator's control route tells it."""
        return self._answer("GET", "state")

    def act(self, verb: str, **options: str | int) -> dict[str, Any]:
        """Let the site do something: evolve, break (`how`) or mend. Returns what came of it."""
        return self._answer("POST", verb, **options)

    def video(self, key: str) -> dict[str, Any] | None:
        """Return a video as the site's v2 API shows it, or None if there is no such video."""
        secret = self.settings.jwplatform_v2_api_secret
        bearer = {"Authorization": f"Bearer {secret.get_secret_value() if secret else ''}"}
        url = f"{self.url}/v2/sites/{self.settings.jwplatform_api_key}/media/{key}/"
        answer = self._asked("GET", url, headers=bearer)
        return answer.json() if answer.ok else None

    def announcement(self) -> str:
        """Return a sentence that tells the user about the site, and about its trouble if it has one."""
        state = self.state()
        troubled = f" Mind that {state['troubled']}; `jwp-pipeline demo mend` ends that." if state["troubled"] else ""
        return (
            "No JWPLATFORM_* credential is configured: a simulated JW Platform stands in for one "
            f"({self.url}, day {state['generation']} of its library).{troubled}"
        )

    def _answer(self, method: str, verb: str, **options: str | int) -> dict[str, Any]:
        answer = self._asked(method, f"{self.url}/simulator/{verb}", params=options)
        if not answer.ok:
            raise PipelineError(f"The simulated JW Platform answered {answer.status_code} to {verb}. {_START_AGAIN}")
        content: dict[str, Any] = answer.json()
        return content

    def _asked(self, method: str, url: str, **what: Any) -> requests.Response:
        import requests

        try:
            return requests.request(method, url, timeout=_ANSWER_SECONDS, **what)
        except requests.RequestException:
            raise PipelineError(f"The simulated JW Platform at {self.url} does not answer. {_START_AGAIN}") from None


def has_begun(settings: Settings) -> bool:
    """Whether JWP_HOME has a demo site already."""
    return DemoFiles.of(settings.jwp_home).site.exists()


def is_empty_home(settings: Settings) -> bool:
    """Whether JWP_HOME has neither a demo site nor an embedded database, and no other database is configured."""
    elsewhere = settings.jwp_database_url or settings.jwp_dagster_database_url
    return not elsewhere and not has_begun(settings) and not (embedded.place(settings.jwp_home) / "data").exists()


def remembered(settings: Settings) -> Settings:
    """Return the settings with the demo site in place of a real one, if it has begun and no real one is configured.

    The site need not be running: this is for commands that do not ask it anything.
    """
    environment = None if settings.has_jwp_credentials else DemoFiles.of(settings.jwp_home).environment()
    return settings if environment is None else _settings(settings, environment)


@contextmanager
def demo_if_unconfigured(settings: Settings, *, start: datetime | None = None) -> Iterator[Demo | None]:
    """Run the demo site during the block and yield it, or yield None if a real site is configured.

    A new library begins at `start`, by default now. Raises SettingsError if JWP_HOME cannot be used, and PipelineError.
    """
    if settings.has_jwp_credentials:
        yield None
        return
    files = DemoFiles.of(settings.jwp_home)
    try:
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = open_lock(files.users_lock)
    except OSError as error:
        raise SettingsError(
            f"JWP_HOME cannot be used: {error.strerror}: {error.filename}. "
            "Set it to a folder that may be written to, on a disk with space."
        ) from None
    try:
        with locked(files.start_lock):
            fcntl.flock(users, fcntl.LOCK_SH)
            is_new = not files.site.exists()
            _start_or_join(files, start or datetime.now(UTC))
            environment = files.environment()
        if environment is None:
            raise PipelineError(f"{files.served} was damaged while the simulated JW Platform ran. {_START_AGAIN}")
        yield Demo(environment[URL], _settings(settings, environment), is_new)
    finally:
        os.close(users)


def _settings(settings: Settings, environment: Mapping[str, str]) -> Settings:
    site: dict[str, Any] = {name.lower(): value for name, value in environment.items()}
    if "jwp_requests_per_minute" not in settings.model_fields_set:
        site["jwp_requests_per_minute"] = REQUESTS_PER_MINUTE
    return load_settings(**site)


def _start_or_join(files: DemoFiles, start: datetime) -> None:
    """Return once the site is served. The caller holds the start lock, so no other process starts it at the same time.

    Raises PipelineError if it does not start.
    """
    lock = open_lock(files.server_lock)
    try:
        if not try_lock(lock):
            return
        before = files.served.stat().st_mtime_ns if files.served.exists() else None
        with files.log.open("wb") as log:
            process = start_with_lock(
                "jwp_pipeline.commands.demo_server",
                str(files.folder),
                f"--start={start.timestamp():.0f}",
                lock=lock,
                log=log,
                folder=files.folder,
            )
    finally:
        os.close(lock)
    deadline = time.monotonic() + _START_SECONDS
    while not files.served.exists() or files.served.stat().st_mtime_ns == before:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = files.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
            raise PipelineError("\n".join([f"The simulated JW Platform did not start. End of {files.log}:", *said]))
        time.sleep(0.02)
