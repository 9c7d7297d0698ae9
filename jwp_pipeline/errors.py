"""The one exception tree. Every message says what happened, to which resource, and what to do next.

    PipelineError
    ├── SettingsError                 a setting is missing or unreadable
    │   └── OtherSite                 the settings name another site than the one that the schema mirrors
    ├── JWPlatformError               JW Platform, or the way to it
    │   ├── PermanentError            asking again will not help
    │   │   ├── CredentialsRefused    wrong key or secret: names the setting
    │   │   ├── ResourceNotFound      404
    │   │   ├── AnswerTooLarge        more than one answer may hold
    │   │   └── RequestRefused        any other 4xx
    │   │       └── MiddlemanAnswered a 3xx or 4xx that JW Platform did not write: a proxy, a gateway, a login page
    │   └── TransientError            asking again later may help; retries are used up when it is raised
    │       ├── RateLimited           429 until the deadline
    │       ├── Unreachable           no connection, time-out, connection cut
    │       └── MalformedAnswer       5xx, HTML, truncated or mis-shaped JSON, an error body with status 200
    ├── MirrorError
    │   ├── SyncInProgress            another process holds the lock
    │   ├── LeaseLost                 this run was declared dead, and may not write any more
    │   ├── UnusableResources         what a caller hands to set_resources is no listing: nothing was changed
    │   ├── NothingToRelease          the named snapshot withholds nothing, or cannot be released
    │   └── GuardTripped              the guard stands in the way until somebody looks
    │       ├── SnapshotQuarantined   it refused a snapshot: nothing was changed
    │       └── DeletionsWithheld     it withheld deletions: everything else was applied
    └── DatabaseError                 the database cannot be reached, or its connection was lost
        ├── UnsuitableDatabase        its version or its encoding will not do
        ├── UnsuitablePooler          a connection pooler stands before it that will not do
        ├── DatabaseRefusal           it does not allow what has to be done: read-only, or a right is missing
        ├── DatabaseFull              it has no space, memory or connections left
        ├── DatabaseBlocked           others held locks on our tables for too long
        ├── DatabaseDamaged           its files are damaged, or cannot be read or written
        ├── MigrationError            the tables are not this version's, and cannot be made so
        └── EmbeddedPostgresError     the embedded PostgreSQL does not start

Each names the page of docs/runbook that is about it; the edges add it to the message (runbook.py).
The modules that know HTTP, SQL or Dagster translate into these.
No message may hold a secret, or a URL's query string (v1 signs in the query).
"""

from typing import ClassVar, Self


class PipelineError(Exception):
    """Root of all errors that this project raises on purpose."""

    runbook: ClassVar[str] = "README"
    """Page of docs/runbook, without the suffix; the closest one up the tree holds."""


class SettingsError(PipelineError):
    """A setting is missing or cannot be read; the message names each one and says what to do."""

    runbook: ClassVar[str] = "missing-setting"


class OtherSite(SettingsError):
    """The settings name another site than the one that the schema mirrors; nothing was asked or changed."""

    runbook: ClassVar[str] = "other-site"


class JWPlatformError(PipelineError):
    """JW Platform refused, failed or could not be reached."""

    runbook: ClassVar[str] = "unreachable"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status that the error came with; None when there was no answer, or nothing hangs on it."""

    def retold(self, message: str) -> Self:
        """The same error with another message: more is known of it on the way up."""
        return type(self)(message, self.status)


class PermanentError(JWPlatformError):
    """Asking again will not help."""

    runbook: ClassVar[str] = "refused-credentials"


class CredentialsRefused(PermanentError):
    """JW Platform does not accept the key or secret; the message names the setting."""


class ResourceNotFound(PermanentError):
    """JW Platform answers 404 for the resource."""


class AnswerTooLarge(PermanentError):
    """An answer is larger than any that JW Platform has reason to send; it was not read to its end."""

    runbook: ClassVar[str] = "unreachable"


class RequestRefused(PermanentError):
    """The request itself is rejected (any other 4xx)."""


class MiddlemanAnswered(RequestRefused):
    """Something between us and JW Platform answered in its place; the message says what is known of it."""

    runbook: ClassVar[str] = "proxy"


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


class LeaseLost(MirrorError):
    """Others declared this run dead because nothing was heard of it; it may not write any more."""

    runbook: ClassVar[str] = "lost-lease"


class UnusableResources(MirrorError):
    """What a caller hands to set_resources is no listing; nothing was changed."""


class NothingToRelease(MirrorError):
    """The snapshot named for release withholds nothing, or cannot be released any more."""

    runbook: ClassVar[str] = "quarantined-snapshot"


class GuardTripped(MirrorError):
    """The guard stands in the way; somebody has to look, and release the snapshot if it is right."""

    runbook: ClassVar[str] = "quarantined-snapshot"

    def __init__(self, message: str, snapshot_id: int) -> None:
        super().__init__(message)
        self.snapshot_id = snapshot_id
        """The snapshot to release."""


class SnapshotQuarantined(GuardTripped):
    """The guard refused to apply a snapshot; nothing was changed."""


class DeletionsWithheld(GuardTripped):
    """The guard withheld the deletions of a snapshot; everything else of it was applied."""

    runbook: ClassVar[str] = "withheld-deletions"


class DatabaseError(PipelineError):
    """The database cannot be reached, or cannot be used as it is."""

    runbook: ClassVar[str] = "database-down"


class UnsuitableDatabase(DatabaseError):
    """The version or the encoding of the database will not do."""

    runbook: ClassVar[str] = "unsuitable-database"


class UnsuitablePooler(DatabaseError):
    """A connection pooler stands before the database, in a mode or with settings that will not do."""

    runbook: ClassVar[str] = "connection-pooler"


class DatabaseRefusal(DatabaseError):
    """The database does not allow what has to be done: it is read-only, or a right is missing."""

    runbook: ClassVar[str] = "database-refuses"


class DatabaseFull(DatabaseError):
    """The server has no disk space, memory or connections left."""

    runbook: ClassVar[str] = "database-full"


class DatabaseBlocked(DatabaseError):
    """Others held locks on our tables for too long; nothing was half-done, and starting again may help."""

    runbook: ClassVar[str] = "database-blocked"


class DatabaseDamaged(DatabaseError):
    """The files of the database are damaged, or the server cannot read or write them."""

    runbook: ClassVar[str] = "database-damaged"


class MigrationError(DatabaseError):
    """The tables are not this version's, and cannot be made so; they were left as they are."""

    runbook: ClassVar[str] = "migration"


class EmbeddedPostgresError(DatabaseError):
    """The embedded PostgreSQL does not start or cannot be joined."""

    runbook: ClassVar[str] = "embedded-postgresql"
