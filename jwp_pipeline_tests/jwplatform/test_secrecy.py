"""Whatever goes wrong, no secret, signature or query string shows: not in messages, notices, logs, or tracebacks."""

import logging
import re
import traceback

import pytest

from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline_tests.jwplatform.conftest import SECRET, answer, send, v1_videos, v2_media


def echo(handler):
    """Answer as a server that refuses every request and repeats all of it."""
    body = f"{handler.path} {handler.headers.get('Authorization')} {SECRET}".encode()
    send(handler, 400, body)


TROUBLES = {
    "echo": [echo],
    "drop": [lambda handler: None],
    "odd headers": [lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")],
    "redirect": [answer(302, "", Location=f"/x?api_signature={SECRET}")],
    "refused": [answer(403, {"status": "error", "code": SECRET, "message": f"secret {SECRET}"})],
    "v2 errors": [answer(500, {"errors": [{"code": "server_error", "description": f"Bearer {SECRET}"}]})],
    "nobody there": [],
    "fine": [v1_videos("a")],
    "also fine": [v2_media("a")],
}


@pytest.mark.parametrize("answers", TROUBLES.values(), ids=TROUBLES.keys())
def test_no_secret_is_shown(script, make_client, caplog, answers):
    caplog.set_level(logging.DEBUG)
    script.answers = list(answers)
    if not answers:
        script.url = "http://127.0.0.1:1"
    shown = []
    client = make_client(deadline=3, on_wait=lambda notice: shown.append(notice.reason))
    for ask in (
        lambda: list(client.list_pages("video")),
        lambda: client.show("video", "a"),
        lambda: client.members("a"),
    ):
        try:
            ask()
        except JWPlatformError:
            shown.append(traceback.format_exc())
    client.close()
    records = [record for record in caplog.records if record.name.startswith(("urllib3", "requests", "jwp_pipeline"))]
    assert any(record.name == "urllib3.connectionpool" for record in records)
    shown += [record.getMessage() for record in records] + [repr(record.args) for record in records]
    for text in [*shown, repr(client), repr(vars(client).get("_transport"))]:
        assert SECRET not in text
        assert not re.search(r"api_signature=|page_length=|[0-9a-f]{40}", text), text


def test_the_secret_sent_is_ours_whatever_netrc_says(script, make_v2, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    script.answers = [v2_media("a")]
    make_v2().probe("video")
    assert script.headers[0]["Authorization"] == f"Bearer {SECRET}"
