"""Defines every setting: its name, type, default, effect, and whether it is required.

Settings are read from environment variables, named as the fields in upper case, and from a file `.env` (env_file.py
says which one). If both set a value, `.env` wins, because Dagster's own commands behave this way and no code can change
that. An empty or blank value counts as not set; only JWP_DEFAULT_ACL may not be blank. Nothing is read at import: call
`load_settings()`.

Put here which values a setting may have. The modules that use a value take it as an argument, and environment.py
handles settings as environment variables.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from jwp_pipeline.database_url import flaw_of_database_url, without_quotes
from jwp_pipeline.env_file import env_file
from jwp_pipeline.errors import SettingsError

REDACTED = "********"

NOBODY = "NOBODY"
"""What JWP_DEFAULT_ACL says where nobody may view a video that has no ACL."""
NEVER_BLANK = frozenset({"jwp_default_acl"})
"""The settings whose blank value is refused. Others count as not set then."""

_BASE_URL = re.compile(r"https?://([\w.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[^\s?#@]*)?", re.IGNORECASE)

Ratio = Annotated[float, Field(ge=0, le=1)]
# At most ten years, because a number that is too large for date arithmetic would stop Dagster from loading.
Hours = Annotated[float, Field(gt=0, le=87_600)]


class Settings(BaseSettings):
    """The effective configuration of one site. Immutable."""

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # --- JW Platform -------------------------------------------------------------------------------------
    jwplatform_api_key: str | None = Field(
        None, description="Property key of the JWP site: v1's API key, which is v2's site id. Required."
    )
    jwplatform_api_secret: SecretStr | None = Field(
        None, description="v1 API secret; also signs delivery URLs. Required."
    )
    jwplatform_v2_api_secret: SecretStr | None = Field(
        None, description="v2 API secret (Bearer). Required when the v2 Management API is asked for."
    )
    jwplatform_embed_player_key: str | None = Field(None, description="Key of the player that embeds media. Required.")
    jwplatform_management_api: Literal["auto", "v1", "v2"] = Field(
        "auto", description="Management API to read: v2 when a v2 secret is set, else v1; or one of them."
    )
    jwplatform_management_api_url: str | None = Field(
        None,
        description="Origin of the Management API, for proxies and tests; /v1/… and /v2/sites/… follow it. "
        "Default: JWP's own hosts.",
    )
    jwplatform_api_base_url: str = Field(
        "https://cdn.jwplayer.com/", description="Base URL of players, posters and the Delivery API."
    )
    jwplatform_content_base_url: str = Field(
        "https://content.jwplatform.com",
        description="Base URL of the player pages that other sites are given (Video.content_url).",
    )
    jwplatform_signature_timeout: int = Field(
        3600,
        gt=0,
        description="Seconds for which the signed URL of a player is valid. A token for the Delivery API is valid for "
        "an hour whatever this says.",
    )
    jwp_requests_per_minute: int = Field(
        60,
        gt=0,
        description="Requests a minute that all processes of the site together ask the Management API at most.",
    )
    jwp_deadline_minutes: float = Field(
        10,
        gt=0,
        le=10_080,
        description="Minutes that a run goes on asking the Management API without one usable answer, all its requests "
        "together.",
    )

    # --- Mirror ------------------------------------------------------------------------------------------
    jwp_max_delete_ratio: Ratio = Field(
        0.3,
        description="Guard: withhold the deletions of a listing that misses more than this share of the live rows.",
    )
    jwp_max_change_ratio: Ratio = Field(
        1.0, description="Guard: refuse a snapshot that changes more than this share of them; 1 is off."
    )
    jwp_guard_min_rows: int = Field(
        10, ge=0, description="The guard acts when a type has at least this many live rows."
    )
    jwp_confirm_requests: int = Field(
        60,
        ge=0,
        description="Missing resources of a type that one sync asks JW Platform about at most; each is deleted only "
        "after a 404 of its own.",
    )
    jwp_snapshot_retention: int = Field(3, ge=1, description="Applied snapshots of each type whose raw pages are kept.")
    jwp_volatile_fields: Annotated[tuple[str, ...], NoDecode] = Field(
        ("views",),
        description="Comma list of top-level fields whose change alone is no row in resource_changes.",
    )

    # --- Media items -------------------------------------------------------------------------------------
    jwp_create_items: Literal["all", "sms"] = Field(
        "all", description="A media item for every video, or only for those with sms_media_id."
    )
    jwp_default_acl: str = Field(
        "WORLD",
        description="ACL of a video that has no sms_acl: a comma list, or NOBODY. It may not be blank, which is nobody "
        "in an ACL, but the default in other settings.",
    )
    jwp_strict_acls: bool | None = Field(
        None,
        description="Take away at once what sms_acl no longer grants, and keep the permission when it vanishes. "
        "Default: true when JWP_CREATE_ITEMS is all, else false.",
    )
    jwp_sync_items: bool = Field(True, description="Push local edits of media items back to JWP.")
    jwp_site_domain: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$",
        description="Domain of the site that the items belong to, such as media.example.org: it marks its videos at "
        "JWP. Required for pushing edits.",
    )
    jwp_site_name: str | None = Field(
        None, description="Name of that site, for people who look at its videos at JWP. Required for pushing edits."
    )
    jwp_conflict: Literal["ask", "ours", "theirs"] = Field(
        "ask",
        description="What to do about a field that was edited here and changed at JWP meanwhile: leave both until "
        "somebody decides, or take one side's value.",
    )
    jwp_force_https_upload: bool = Field(True, description="Make upload links https.")

    jwp_delivery_check_items: int = Field(
        5, ge=0, le=1000, description="Items that check items_play tries after each sync; 0 turns it off."
    )
    jwp_delivery_check_seconds: float = Field(
        10, gt=0, le=600, description="Seconds that check items_play may take at most."
    )

    # --- Schedules, freshness and alerts ------------------------------------------------------------------
    jwp_full_resync_cron: str = Field(
        "0 3 * * *", description="When the daily full resync runs: cron, in JWP_SCHEDULE_TIMEZONE."
    )
    jwp_frequent_sync_cron: str = Field(
        "*/15 * * * *", description="When the frequent sync of changes runs: cron, in JWP_SCHEDULE_TIMEZONE."
    )
    jwp_schedule_timezone: str = Field("UTC", description="Time zone of the schedules, by its IANA name.")
    jwp_overlap_minutes: int = Field(
        60,
        ge=0,
        le=5_256_000,
        description="How far before the newest known change a sync of changes begins to read again.",
    )
    jwp_max_listing_age_hours: Hours = Field(
        26, description="Age of the last verified full listing at which a sensor asks for another."
    )
    jwp_freshness_warn_hours: Hours = Field(2, description="Age of an asset at which Dagster's freshness policy warns.")
    jwp_freshness_fail_hours: Hours = Field(26, description="Age at which it fails.")
    jwp_alert_webhook_url: SecretStr | None = Field(
        None, description="URL that alerts are posted to, as JSON {text, …}. Default: they go to the log only."
    )

    # --- Webhooks ----------------------------------------------------------------------------------------
    jwp_webhook_secrets: SecretStr | None = Field(
        None,
        description="Secrets of JWP's webhooks: a comma list, one secret for each webhook. An event signed with any of "
        "them is accepted.",
    )
    jwp_webhook_secrets_file: Path | None = Field(
        None,
        description="File with more of them, one on each line, which is read again whenever it changes. "
        "`jwp-pipeline webhooks register` adds to it. Relative to the folder of .env.",
    )
    jwp_webhook_max_age: int = Field(
        86_400,
        ge=60,
        le=604_800,
        description="Seconds that the time of an event may differ from ours; others are refused.",
    )
    jwp_webhook_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="Port of 127.0.0.1 on which `jwp-pipeline up` receives webhooks, too, and the default of "
        "`jwp-pipeline webhooks`. Default: `up` receives none, and `webhooks` takes 8300.",
    )

    # --- Database and process ----------------------------------------------------------------------------
    jwp_database_url: SecretStr | None = Field(
        None,
        description="postgresql://user:password@host/database, or whatever else libpq takes: several hosts, sockets, "
        "key=value pairs. Default: an embedded PostgreSQL.",
    )
    jwp_database_schema: str = Field(
        "jwp", pattern=r"^[a-z_][a-z0-9_]{0,47}$", description="Schema of all our tables; one a site."
    )
    jwp_dagster_database_url: SecretStr | None = Field(
        None, description="Where Dagster keeps its runs. Default: the same server, schema `dagster`."
    )
    jwp_celery_url: SecretStr | None = Field(
        None,
        description="redis:// or rediss:// URL of the Redis that hands runs to Celery workers, if Dagster is deployed "
        "with them (docs/deploy.md).",
    )
    jwp_home: Path = Field(
        Path(".jwp"),
        validate_default=True,
        description="Folder of the embedded data, Dagster's home and its logs. Relative to the folder of .env; may "
        "begin with ~ or $NAME.",
    )
    jwp_asset_prefix: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$",
        description="Prefix of all asset keys, for several sites in one Dagster.",
    )

    # --- Lookup ------------------------------------------------------------------------------------------
    lookup_root: str | None = Field(None, description="Root URL of the Lookup proxy API.")
    lookup_people_id_scheme: str = Field("mock", description="Identifier scheme of people in Lookup.")
    lookup_people_cache_lifetime: int = Field(
        1800, ge=0, description="Seconds for which a person's groups and institutions are cached."
    )
    lookup_timeout_seconds: float = Field(
        2, gt=0, le=60, description="Seconds that a decision waits for Lookup at most."
    )
    oauth2_token_url: str | None = Field(None, description="OAuth2 token endpoint for Lookup.")
    oauth2_client_id: str | None = Field(None, description="OAuth2 client id for Lookup.")
    oauth2_client_secret: SecretStr | None = Field(None, description="OAuth2 client secret for Lookup.")
    oauth2_lookup_scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        ("lookup:anonymous",), description="Comma list of OAuth2 scopes asked for."
    )
    oauth2_max_retries: int = Field(5, ge=0, description="Retries of an OAuth2 token request.")

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Strip the blanks around each value, and drop values that are then empty: they count as not set.

        Settings that may not be blank are kept, to be refused.
        """
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if _counts(name, value)}

    @field_validator("jwp_default_acl")
    @classmethod
    def _says_whom(cls, value: str) -> str:
        # Whoever leaves it blank means nobody, as in an ACL; the default would show their videos to everybody.
        if not value:
            raise ValueError(f"is blank: say {NOBODY} for nobody or WORLD for everybody, or remove the line")
        return value

    @field_validator("jwp_schedule_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not the IANA name of a time zone, such as Europe/London") from None
        return value

    @field_validator("jwplatform_api_base_url", "jwplatform_content_base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        # These become part of the pages that an application shows, so that a login in them would be published.
        if not _BASE_URL.fullmatch(value):
            raise ValueError("is not of the form https://host[:port]/: no user, password or query can be part of it")
        return value

    @field_validator("jwp_database_url", "jwp_dagster_database_url")
    @classmethod
    def _postgresql_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = without_quotes(value.get_secret_value())
        if flaw := flaw_of_database_url(url):
            raise ValueError(flaw)
        return SecretStr(url)

    @field_validator("jwp_celery_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("is not the URL of a Redis, which begins with redis:// or rediss://")
        return value

    @field_validator("jwp_home", "jwp_webhook_secrets_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else env_file().absolute(value)

    @field_validator("jwp_volatile_fields", "oauth2_lookup_scopes", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def default_acl(self) -> str:
        """JWP_DEFAULT_ACL as the text of an ACL, in which nobody is the empty one."""
        return "" if self.jwp_default_acl == NOBODY else self.jwp_default_acl

    @property
    def management_api(self) -> Literal["v1", "v2"]:
        """The Management API in use, with `auto` resolved."""
        if self.jwplatform_management_api != "auto":
            return self.jwplatform_management_api
        return "v2" if self.jwplatform_v2_api_secret else "v1"

    @property
    def asset_key_prefix(self) -> list[str]:
        """JWP_ASSET_PREFIX as the first parts of every asset key."""
        return self.jwp_asset_prefix.split("/") if self.jwp_asset_prefix else []

    @property
    def code_location(self) -> str:
        """The name of the site's code location in workspace.yaml, which is also its queue if Celery workers run it."""
        return self.jwp_asset_prefix or "jwp_pipeline"

    @property
    def has_jwp_credentials(self) -> bool:
        """Whether any credential of a JWP site is configured."""
        return any((self.jwplatform_api_key, self.jwplatform_api_secret, self.jwplatform_v2_api_secret))

    @property
    def can_play(self) -> bool:
        """Whether signed URLs of the site's player can be computed."""
        return bool(self.jwplatform_embed_player_key and self.jwplatform_api_secret)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets in JWP_WEBHOOK_SECRETS, in clear; those in JWP_WEBHOOK_SECRETS_FILE are not among them."""
        listed = self.jwp_webhook_secrets.get_secret_value() if self.jwp_webhook_secrets else ""
        return tuple(secret for part in listed.split(",") if (secret := part.strip()))

    @property
    def receives_webhooks(self) -> bool:
        """Whether secrets of JWP's webhooks are configured, without which no event can be accepted."""
        return bool(self.webhook_secrets or self.jwp_webhook_secrets_file)

    def missing_required(self) -> dict[str, str]:
        """Return what to do about each required setting that is not set, by its name."""
        required = ["jwplatform_api_key", "jwplatform_api_secret", "jwplatform_embed_player_key"]
        if self.management_api == "v2":
            required.append("jwplatform_v2_api_secret")
        return {name.upper(): _HINTS[name] for name in required if not getattr(self, name)}

    def redacted(self) -> dict[str, Any]:
        """Return the effective value of each setting by its environment name, with secrets and logins masked."""
        return {name.upper(): _shown(getattr(self, name)) for name in type(self).model_fields}


_HINTS = {
    "jwplatform_api_key": "set it to the property key (JWP dashboard > Account > API Credentials)",
    "jwplatform_api_secret": "set it to the property's v1 API secret, which also signs delivery URLs "
    "(JWP dashboard > Account > API Credentials)",
    "jwplatform_v2_api_secret": "create a v2 API credential in the JWP dashboard and set its secret here, "
    "or set JWPLATFORM_MANAGEMENT_API=v1",
    "jwplatform_embed_player_key": "set it to the 8-character key of the player that embeds media "
    "(JWP dashboard > Players)",
}


def _counts(name: str, value: Any) -> bool:
    """Whether a value without the blanks around it counts as set."""
    return value != "" or name in NEVER_BLANK


def load_settings(**overrides: Any) -> Settings:
    """Read `.env` and the environment. `overrides`, by field name, take precedence over both.

    Raises SettingsError if `.env` or a setting cannot be read; the message names each such setting without its value.
    """
    file = env_file()
    given = {} if file.settled else {name.lower(): value for name, value in file.lines().items() if value is not None}
    of_file = {
        name: value for name, value in given.items() if name in Settings.model_fields and _counts(name, value.strip())
    }
    try:
        # pydantic prefers arguments to the environment.
        return Settings(**(of_file | overrides))
    except ValidationError as error:
        problems = "; ".join(f"{_name(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False))
        raise SettingsError(f"Some settings cannot be read: {problems}. Mend them. {file.description}") from None


def _name(location: tuple[int | str, ...]) -> str:
    return str(location[0]).upper() if location else "settings"


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return REDACTED
    shown = plain(value)
    # Mask up to the last @, because the login itself may contain one.
    return re.sub(r"://.*@", f"://{REDACTED}@", shown, flags=re.DOTALL) if isinstance(shown, str) else shown


def plain(value: Any) -> Any:
    """Return a value as an environment variable would hold it: lists become comma lists, and paths become texts.

    A secret is returned unchanged.
    """
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value) if isinstance(value, Path) else value
