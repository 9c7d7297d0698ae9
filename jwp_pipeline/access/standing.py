"""What one user brings to a decision: a name, user permissions, groups and institutions."""

from __future__ import annotations

from functools import cached_property

from jwp_pipeline.access.people import Membership, People
from jwp_pipeline.access.users import User, has_user_permission, is_signed_in, is_superuser, username_of

VIEW_ALL = "view_mediaitem"
"""The user permission to view every item."""
DOWNLOAD_ALL = "download_mediaitem"
"""The user permission to download every item."""


class Standing:
    """A user as the decisions see them. Lookup is asked when the first group or institution matters, and only then."""

    def __init__(self, user: User | None, people: People) -> None:
        self.is_signed_in = is_signed_in(user)
        self.username = username_of(user)
        """None for the anonymous user, who matches no name, no group and no institution."""
        self.is_superuser = is_superuser(user)
        self.views_all = has_user_permission(user, VIEW_ALL)
        self.downloads_all = has_user_permission(user, DOWNLOAD_ALL)
        self._people = people

    @cached_property
    def membership(self) -> Membership:
        """The user's institutions and groups; empty for the anonymous user and while Lookup does not answer."""
        return Membership() if self.username is None else self._people.membership(self.username)
