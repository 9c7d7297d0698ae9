"""The guard: it decides what a plan may do to the live rows of its type.

It counts every resource that a listing misses, confirmed or not, and what was deleted since the last complete listing.
Otherwise a mass deletion could pass in small steps, because a sync confirms only some keys, or looks only at some. Put
here further reasons to withhold deletions or to refuse a snapshot. The functions are pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import Plan


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guard's verdict on a plan. At most one of the two fields is set."""

    refusal: str | None = None
    """Why the whole snapshot is refused, for example because it looks like another library."""
    withheld: str | None = None
    """Why the deletions are withheld while everything else is applied."""

    @property
    def may_delete(self) -> bool:
        """Whether confirmed deletions may be carried out."""
        return self.refusal is None and self.withheld is None


ACCEPTED = Verdict()


def judge(plan: Plan, options: MirrorOptions) -> Verdict:
    """Judge a plan against the live rows of its type. With fewer than JWP_GUARD_MIN_ROWS, every plan is accepted."""
    if plan.live < options.guard_min_rows:
        return ACCEPTED
    kind = f"{plan.resource_type}s"
    if plan.is_full and plan.seen == 0 and plan.live:
        return Verdict(refusal=f"it is empty, while {plan.live} {kind} are live")
    if plan.changed > options.max_change_ratio * plan.live:
        return Verdict(
            refusal=f"it changes {_share(plan.changed, plan)}, more than "
            f"JWP_MAX_CHANGE_RATIO={options.max_change_ratio:g} allows"
        )
    allowed = options.max_delete_ratio * (plan.live + plan.deleted_since)
    missing = plan.missing - plan.never_listed
    if missing == 0 or missing + plan.deleted_since <= allowed:
        return ACCEPTED
    before = f", after {plan.deleted_since} were deleted since the last complete listing" if plan.deleted_since else ""
    misses = (
        f"it misses {_share(missing, plan)}{before}, more than JWP_MAX_DELETE_RATIO={options.max_delete_ratio:g} allows"
    )
    if plan.added and plan.added >= allowed:
        return Verdict(refusal=f"{misses}, and adds {plan.added} new ones: it looks like another library")
    return Verdict(withheld=misses)


def _share(count: int, plan: Plan) -> str:
    return f"{count} of {plan.live} live {plan.resource_type}s ({count / plan.live:.0%})"
