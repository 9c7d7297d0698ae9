"""The options of the mirror, which come from the settings of the same names."""

from __future__ import annotations

from dataclasses import dataclass

from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Options for the guard, retention and volatile fields. `settings.py` explains each of them."""

    max_delete_ratio: float = 0.3
    max_change_ratio: float = 1.0
    guard_min_rows: int = 10
    confirm_requests: int = 60
    snapshot_retention: int = 3
    volatile_fields: tuple[str, ...] = ("views",)
    overlap_minutes: int = 60

    @classmethod
    def from_settings(cls, settings: Settings) -> MirrorOptions:
        """Return the configured options."""
        return cls(
            max_delete_ratio=settings.jwp_max_delete_ratio,
            max_change_ratio=settings.jwp_max_change_ratio,
            guard_min_rows=settings.jwp_guard_min_rows,
            confirm_requests=settings.jwp_confirm_requests,
            snapshot_retention=settings.jwp_snapshot_retention,
            volatile_fields=settings.jwp_volatile_fields,
            overlap_minutes=settings.jwp_overlap_minutes,
        )
