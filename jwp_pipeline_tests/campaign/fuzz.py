"""Lets atheris, which follows the coverage of the code, look for bytes that what reads them cannot take.

    pip install atheris; python -m jwp_pipeline_tests.campaign.fuzz -runs=1000000 -max_total_time=300

atheris is no dependency of the project. The options are those of libFuzzer; an input that breaks something is written
to a file, and its name as an argument replays it.
"""

import json
import logging
import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["jwp_pipeline.access", "jwp_pipeline.media", "jwp_pipeline.webhooks"]):
    from jwp_pipeline_tests.campaign import targets


def send(octets):
    """Send the same bytes as an ACL, a body, a token, the URL of a database, and as JSON wherever that may stand."""
    text = octets.decode("utf-8", "surrogateescape")
    targets.acl(text)
    targets.database_url(text)
    targets.webhook(({}, targets.SECRET, {"alg": "HS256"}, octets, None))
    targets.webhook(({}, targets.SECRET, {"alg": "HS256"}, octets, f"Bearer {text}"))
    targets.custom_property(("sms_last_updated_at", f"last_updated_at:{text}:"))
    targets.custom_property(("sms_media_id", f"media:{text}:"))
    with suppress(ValueError, RecursionError):
        value = json.loads(octets)
        targets.resource(value)
        targets.resource({"key": targets.KEY, "custom": value, "date": value, "duration": value, "updated": value})
        targets.delivered(value)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    atheris.Setup(sys.argv, send)
    atheris.Fuzz()
