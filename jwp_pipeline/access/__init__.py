"""Decides who may see, edit and download, by ACLs, permissions and what Lookup knows of people.

The modules here may not use JWP's Management APIs or Dagster. Applications import them from jwp_pipeline.record.
"""

from jwp_pipeline.access.aces import AceCam, AceGroup, AceInst, AceUser, AceWorld, build_acl, check_user_access
from jwp_pipeline.access.decide import Access
from jwp_pipeline.access.lookup import Lookup
from jwp_pipeline.access.people import Membership, People
from jwp_pipeline.access.users import ANONYMOUS, Person, User

__all__ = [
    "ANONYMOUS",
    "Access",
    "AceCam",
    "AceGroup",
    "AceInst",
    "AceUser",
    "AceWorld",
    "Lookup",
    "Membership",
    "People",
    "Person",
    "User",
    "build_acl",
    "check_user_access",
]
