"""Decides whether a refused change is due to its video or to the secret of the push.

JW Platform gives the same answer whether nobody may change a video or the secret may not write at all. The rest of the
push shows the difference: a secret that has changed another video may write. Put here what follows from such answers;
push.py collects them. Nothing here asks JW Platform or the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jwp_pipeline.errors import RequestRefused, WritingNotAllowed
from jwp_pipeline.outbox.exchange import Answer

FAILURES = 5
"""So many failures in a row mean that JW Platform is down, and not that something is wrong with these items."""

_AFTER_A_WRITE = 10
"""So many refusals in a row mean that a secret that has just written may do so no more."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer, and when the request began and ended, in seconds of the monotonic clock."""

    answer: Answer
    began: float
    ended: float


@dataclass(slots=True)
class NotAllowed:
    """The answers of a push that say that writing is not allowed, and that have not been judged yet."""

    written: float | None = None
    """When the last successful write began; None if nothing has been written yet."""
    waiting: list[Timed] = field(default_factory=list)

    def note(self, timed: Timed) -> bool:
        """Take an answer into account. Returns whether it is one of those that are to be judged."""
        answer = timed.answer
        if isinstance(answer.error, WritingNotAllowed):
            self.waiting.append(timed)
            return True
        if answer.error is None and any(decision.verdict == "push" for decision in answer.decisions):
            self.written = max(timed.began, self.written or timed.began)
        return False

    @property
    def is_the_secret(self) -> bool:
        """Whether so many items in a row were refused that it makes no sense to go on."""
        doubtful = sum(not self._is_about_one(each) for each in self.waiting)
        return doubtful >= (FAILURES if self.written is None else _AFTER_A_WRITE)

    def judge(self) -> tuple[Sequence[Answer], Sequence[Answer]]:
        """Return the answers that concern only their items, turned into refusals, and those that concern the secret."""
        doubted = self.written is None or self.is_the_secret
        secret = [each.answer for each in self.waiting if doubted and not self._is_about_one(each)]
        items = [_refusal(each.answer) for each in self.waiting if not (doubted and not self._is_about_one(each))]
        self.waiting.clear()
        return items, secret

    def _is_about_one(self, refused: Timed) -> bool:
        """Whether only this item is refused: the secret has written since, or the item was refused earlier, too."""
        return self.written is not None and (refused.ended <= self.written or refused.answer.item.tries > 0)


def _refusal(answer: Answer) -> Answer:
    status = answer.error.status if answer.error else None
    problem = (
        f"JW Platform does not let this secret change video {answer.item.key} (HTTP {status}), although it lets it "
        "change others. Allow it there and edit the item again, or take JW Platform's value."
    )
    return replace(answer, error=RequestRefused(problem, status))
