"""The one exception tree. Every message says what happened, to which resource, and what to do next.

    PipelineError
    ├── SettingsError                 a setting is missing or unreadable
    │   └── OtherSite                 the settings name a different site from the one that the schema mirrors
    ├── JWPlatformError               JW Platform failed, refused, or could not be reached
    │   ├── PermanentError            asking again will not help
    │   │   ├── CredentialsRefused    the key or secret is wrong; the message names the setting
    │   │   │   └── WritingNotAllowed the secret may read, but not write
    │   │   ├── ResourceNotFound      404
    │   │   ├── AnswerTooLarge        the answer is larger than the client accepts
    │   │   └── RequestRefused        any other 4xx
    │   │       └── MiddlemanAnswered a 3xx or 4xx from a proxy, a gateway or a login page instead of JW Platform
    │   ├── TransientError            asking again later may help; raised once the retries are used up
    │   │   ├── RateLimited           429 until the deadline
    │   │   ├── Unreachable           no connection, a time-out, or a dropped connection
    │   │   └── MalformedAnswer       5xx, HTML, truncated or mis-shaped JSON, an error body with status 200
    │   └── WriteUncertain            a write may have been carried out although no usable answer came
    ├── DeliveryError                 where a video plays is not known at present
    │   ├── DeliveryUnreachable       the Delivery API gave no complete answer in time
    │   ├── DeliveryRefused           it answered with another status than 200 and 404
    │   ├── DeliveryUnreadable        its answer is not JSON
    │   └── NoPlaylist                its answer has no playlist
    ├── RunBrokenOff                  Dagster could not start a run, or ended it from outside
    ├── WebhookError                  webhooks cannot be received or registered as asked
    │   └── EventRefused              what was received is not an event that JW Platform has just sent
    ├── MirrorError
    │   ├── SyncInProgress            another process holds the lock
    │   ├── LeaseLost                 this run was declared dead and may no longer write
    │   ├── UnusableResources         set_resources was given something that is not a listing; nothing was changed
    │   ├── NothingToRelease          the named snapshot withholds nothing, or cannot be released
    │   └── GuardTripped              the guard blocks something until a person has looked at it
    │       ├── SnapshotQuarantined   the guard refused a snapshot; nothing was changed
    │       └── DeletionsWithheld     the guard withheld deletions; everything else was applied
    ├── CannotImport                  a database of media-webapp cannot be imported as it is; nothing was changed
    ├── OutboxError                   edits of the record do not reach JW Platform
    │   ├── NotReviewed               the edits that wait have to be shown to somebody before the first push
    │   ├── NothingToResolve          there is no conflict or refusal to decide about
    │   └── NoVideoYet                a file cannot be uploaded for an item that has no video
    └── DatabaseError                 the database cannot be reached, or the connection was lost
        ├── UnsuitableDatabase        its version or encoding is not supported
        ├── UnsuitablePooler          the connection pooler in front of it is not supported
        ├── DatabaseRefusal           it is read-only, or a permission is missing
        ├── DatabaseFull              it has no space, memory or connections left
        ├── DatabaseBlocked           other sessions held locks on our tables for too long
        ├── DatabaseDamaged           its files are damaged, or cannot be read or written
        ├── MigrationError            the tables belong to another version and cannot be migrated
        └── EmbeddedPostgresError     the embedded PostgreSQL does not start

Each class names its page in docs/runbook; where the message is shown, runbook.py adds that page.
Modules that use HTTP, SQL or Dagster translate the errors of those libraries into these classes.
A message must never contain a secret or the query string of a URL (v1 puts its signature there).
"""

from typing import ClassVar, Self

INTERRUPTED = "Interrupted; the next run goes on from what is stored."
"""The message about a command or run that somebody interrupted. An interrupt is not an error and loses nothing."""


class PipelineError(Exception):
    """The base class of all errors that this project raises on purpose."""

    runbook: ClassVar[str] = "README"
    """The page in docs/runbook, without its suffix; subclasses inherit it."""


class SettingsError(PipelineError):
    """A setting is missing or cannot be read; the message names each one and says what to do."""

    runbook: ClassVar[str] = "missing-setting"


class OtherSite(SettingsError):
    """The settings name a different site from the one that the schema mirrors; nothing was requested or changed."""

    runbook: ClassVar[str] = "other-site"


class JWPlatformError(PipelineError):
    """JW Platform refused, failed or could not be reached."""

    runbook: ClassVar[str] = "unreachable"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of the answer; None if there was no answer, or if the status does not matter."""

    def with_message(self, message: str) -> Self:
        """Return the same error with another message, for callers that can add context to it."""
        return type(self)(message, self.status)


class PermanentError(JWPlatformError):
    """Asking again will not help."""

    runbook: ClassVar[str] = "refused-credentials"


class CredentialsRefused(PermanentError):
    """JW Platform does not accept the key or secret; the message names the setting."""


class WritingNotAllowed(CredentialsRefused):
    """JW Platform refuses a write with a secret that it accepts for reading. This is not about the one resource."""

    runbook: ClassVar[str] = "writing-not-allowed"


class ResourceNotFound(PermanentError):
    """JW Platform answers 404 for the resource."""


class AnswerTooLarge(PermanentError):
    """The answer is larger than JW Platform ever has reason to send; only the first part of it was read."""

    runbook: ClassVar[str] = "unreachable"


class RequestRefused(PermanentError):
    """The request itself was rejected (any other 4xx)."""


class MiddlemanAnswered(RequestRefused):
    """Something between us and JW Platform answered instead; the message says what is known about it."""

    runbook: ClassVar[str] = "proxy"


class TransientError(JWPlatformError):
    """Asking again later may help; the retries for this request are used up."""


class RateLimited(TransientError):
    """JW Platform kept answering 429 until the deadline."""

    runbook: ClassVar[str] = "rate-limited"


class Unreachable(TransientError):
    """There was no connection, a time-out, or a connection that broke in the middle of the answer."""


class MalformedAnswer(TransientError):
    """The answer is a server error, or not the JSON that was requested."""


class WriteUncertain(JWPlatformError):
    """JW Platform may or may not have carried out a write. Look at what it has now before repeating anything."""

    runbook: ClassVar[str] = "uncertain-write"


class DeliveryError(PipelineError):
    """The Delivery API did not say where a video plays. The video itself may be all right."""

    runbook: ClassVar[str] = "delivery"


class DeliveryUnreachable(DeliveryError):
    """The Delivery API gave no complete answer in time."""


class DeliveryRefused(DeliveryError):
    """The Delivery API answered with another status than 200 and 404."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status."""


class DeliveryUnreadable(DeliveryError):
    """The answer of the Delivery API is not JSON."""


class NoPlaylist(DeliveryError):
    """The answer of the Delivery API has no playlist with a video."""


class RunBrokenOff(PipelineError):
    """Dagster could not start a run, or ended it from outside; the message quotes what Dagster's log says about it."""

    runbook: ClassVar[str] = "run-broken-off"


class WebhookError(PipelineError):
    """Webhooks cannot be received or registered as asked."""

    runbook: ClassVar[str] = "webhooks"


class EventRefused(WebhookError):
    """What was received is not an event that JW Platform has just sent. Nothing of it was stored."""


class MirrorError(PipelineError):
    """The mirror cannot continue; no change was left half done."""


class SyncInProgress(MirrorError):
    """Another process is reading or applying the same resources."""

    runbook: ClassVar[str] = "lock-held"


class LeaseLost(MirrorError):
    """This run stopped reporting and was declared dead by another process; it may no longer write."""

    runbook: ClassVar[str] = "lost-lease"


class UnusableResources(MirrorError):
    """A caller gave set_resources something that is not a listing; nothing was changed."""


class NothingToRelease(MirrorError):
    """The snapshot to release withholds nothing, or can no longer be released."""

    runbook: ClassVar[str] = "quarantined-snapshot"


class GuardTripped(MirrorError):
    """The guard blocked something; a person has to look at the snapshot, and release it if it is right."""

    runbook: ClassVar[str] = "quarantined-snapshot"

    def __init__(self, message: str, snapshot_id: int) -> None:
        super().__init__(message)
        self.snapshot_id = snapshot_id
        """The id of the snapshot to release."""


class SnapshotQuarantined(GuardTripped):
    """The guard refused a snapshot; nothing was changed."""


class DeletionsWithheld(GuardTripped):
    """The guard withheld the deletions of a snapshot; everything else in it was applied."""

    runbook: ClassVar[str] = "withheld-deletions"


class CannotImport(PipelineError):
    """A database of media-webapp cannot be imported as it is, or not into this record; nothing was changed."""

    runbook: ClassVar[str] = "import"


class OutboxError(PipelineError):
    """Edits of the record do not reach JW Platform; they stay in the record and in the outbox."""

    runbook: ClassVar[str] = "edits-wait"


class NotReviewed(OutboxError):
    """The edits that wait have to be shown to somebody before they are pushed from this database."""

    runbook: ClassVar[str] = "first-push"


class NothingToResolve(OutboxError):
    """There is no such conflict or refusal; nothing was changed."""

    runbook: ClassVar[str] = "conflict"


class NoVideoYet(OutboxError):
    """The item has no video at JW Platform, so no file can be uploaded for it."""


class DatabaseError(PipelineError):
    """The database cannot be reached, or cannot be used in its present state."""

    runbook: ClassVar[str] = "database-down"


class UnsuitableDatabase(DatabaseError):
    """The version or encoding of the database is not supported."""

    runbook: ClassVar[str] = "unsuitable-database"


class UnsuitablePooler(DatabaseError):
    """The database is behind a connection pooler whose mode or settings are not supported."""

    runbook: ClassVar[str] = "connection-pooler"


class DatabaseRefusal(DatabaseError):
    """The database refuses what we need to do: it is read-only, or a permission is missing."""

    runbook: ClassVar[str] = "database-refuses"


class DatabaseFull(DatabaseError):
    """The server has no disk space, memory or connections left."""

    runbook: ClassVar[str] = "database-full"


class DatabaseBlocked(DatabaseError):
    """Other sessions held locks on our tables for too long; nothing was left half done, and a new try may succeed."""

    runbook: ClassVar[str] = "database-blocked"


class DatabaseDamaged(DatabaseError):
    """The files of the database are damaged, or the server cannot read or write them."""

    runbook: ClassVar[str] = "database-damaged"


class MigrationError(DatabaseError):
    """The tables belong to another version and cannot be migrated; they were left unchanged."""

    runbook: ClassVar[str] = "migration"


class EmbeddedPostgresError(DatabaseError):
    """The embedded PostgreSQL does not start, or a running one cannot be used."""

    runbook: ClassVar[str] = "embedded-postgresql"
