"""Events as JW Platform sends them, signed by hand: the tests share no code with what they test."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

from jwp_pipeline.simulator.site import SITE_KEY

SECRET = "not-a-real-secret-1"
OTHER_SECRET = "not-a-real-secret-2"


def event(key="aB3dE5gH", kind="media_updated", *, age=0.0, **fields):
    """Return the body of an event that happened `age` seconds ago."""
    moment = datetime.now(UTC) - timedelta(seconds=age)
    return {
        "event": kind,
        "media_id": key,
        "webhook_id": "hooK0001",
        "site_id": SITE_KEY,
        "event_time": moment.isoformat(timespec="seconds"),
        **fields,
    }


def token(claims, secret=SECRET, *, header=None, digest="sha256"):
    """Return a JSON Web Token. `claims` is an object, or bytes to sign as they are."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (json.dumps(header).encode(), payload))
    signature = hmac.new(secret.encode(), signing, getattr(hashlib, digest)).digest()
    return (signing + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def bearer(claims, secret=SECRET, **how):
    return {"Authorization": f"Bearer {token(claims, secret, **how)}"}
