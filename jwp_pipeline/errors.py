"""The one exception tree. Every message says what happened, to which resource, and what to do next.

    PipelineError
    ├── SettingsError                 a setting is missing or unreadable
    ├── JWPlatformError               JW Platform, or the way to it
    │   ├── PermanentError            asking again will not help
    │   │   ├── CredentialsRefused    wrong key or secret: names the setting
    │   │   ├── ResourceNotFound      404
    │   │   └── RequestRefused        any other 4xx
    │   └── TransientError            asking again later may help; retries are used up when it is raised
    │       ├── RateLimited           429 until the deadline
    │       ├── Unreachable           no connection, time-out, connection cut
    │       └── MalformedAnswer       5xx, HTML, truncated or mis-shaped JSON, an error body with status 200
    ├── MirrorError
    │   ├── SyncInProgress            another process holds the lock
    │   ├── NothingToRelease          the named snapshot is not quarantined
    │   └── SnapshotQuarantined       the guard refused the plan: nothing was changed
    └── DatabaseError
        ├── MigrationError            the tables are not this version's, and cannot be made so
        └── EmbeddedPostgresError     the embedded PostgreSQL does not start

Each names the page of docs/runbook that is about it; the edges add it to the message (runbook.py).
Not here: anything that knows HTTP, SQL or Dagster; the modules that raise these translate into them.
No message may hold a secret, or a URL's query string (v1 signs in the query).
"""

from typing import ClassVar


class PipelineError(Exception):
    """Root of all errors that this project raises on purpose."""

    runbook: ClassVar[str] = "README"
    """Page of docs/runbook, without the suffix; the closest one up the tree holds."""


class SettingsError(PipelineError):
    """A setting is missing or cannot be read; the message names each one and says what to do."""

    runbook: ClassVar[str] = "missing-setting"


class JWPlatformError(PipelineError):
    """JW Platform refused, failed or could not be reached."""

    runbook: ClassVar[str] = "unreachable"


class PermanentError(JWPlatformError):
    """Asking again will not help."""

    runbook: ClassVar[str] = "refused-credentials"


class CredentialsRefused(PermanentError):
    """JW Platform does not accept the key or secret; the message names the setting."""


class ResourceNotFound(PermanentError):
    """JW Platform answers 404 for the resource."""


class RequestRefused(PermanentError):
    """JW Platform rejects the request itself (any other 4xx)."""


class TransientError(JWPlatformError):
    """Asking again later may help; the retries of this request are used up."""


class RateLimited(TransientError):
    """JW Platform kept answering 429 until the deadline."""

    runbook: ClassVar[str] = "rate-limited"


class Unreachable(TransientError):
    """No connection, a time-out, or a connection cut in mid-answer."""


class MalformedAnswer(TransientError):
    """A server error, or an answer that is not the JSON that was asked for."""


class MirrorError(PipelineError):
    """The mirror cannot go on; nothing was half-applied."""


class SyncInProgress(MirrorError):
    """Another process is reading or applying the same resources."""

    runbook: ClassVar[str] = "lock-held"


class NothingToRelease(MirrorError):
    """The snapshot named for release is not quarantined."""

    runbook: ClassVar[str] = "quarantined-snapshot"


class SnapshotQuarantined(MirrorError):
    """The guard refused to apply a snapshot; nothing was changed."""

    runbook: ClassVar[str] = "quarantined-snapshot"

    def __init__(self, message: str, snapshot_id: int, outcome: object = None) -> None:
        super().__init__(message)
        self.snapshot_id = snapshot_id
        self.outcome = outcome
        """What was planned and refused just now (mirror.apply.Applied); None when it had been refused before."""


class DatabaseError(PipelineError):
    """The database cannot be reached or used as it is."""

    runbook: ClassVar[str] = "database-down"


class MigrationError(DatabaseError):
    """The tables are not this version's, and cannot be made so; they were left as they are."""

    runbook: ClassVar[str] = "migration"


class EmbeddedPostgresError(DatabaseError):
    """The embedded PostgreSQL does not start or cannot be joined."""

    runbook: ClassVar[str] = "embedded-postgresql"
