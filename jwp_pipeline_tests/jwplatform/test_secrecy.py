"""Whatever goes wrong, no secret, signature or query string shows: not in messages, notices, logs, or tracebacks."""

import logging
import re
import traceback

import pytest

from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline.jwplatform.writing import Created, UploadLink, VideoEdit
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
    "v1 upload link": [
        answer(
            200,
            {
                "status": "ok",
                "media": {"key": "a"},
                "link": {"protocol": "http", "address": "h", "path": "/", "query": {"token": SECRET}},
            },
        )
    ],
    "v2 upload link": [answer(200, {"id": "a", "upload_link": f"https://h/?token={SECRET}"})],
    "half an upload link": [answer(200, f'{{"status": "ok", "id": "a", "upload_link": "https://h/?token={SECRET}')],
    "fine": [v1_videos("a")],
    "also fine": [v2_media("a")],
}


@pytest.mark.parametrize("answers", TROUBLES.values(), ids=TROUBLES.keys())
def test_no_secret_is_shown(script, make_client, make_writer, caplog, answers):
    caplog.set_level(logging.DEBUG)
    script.answers = list(answers)
    if not answers:
        script.url = "http://127.0.0.1:1"
    shown = []
    options = {"deadline": 3, "on_wait": lambda notice: shown.append(notice.reason)}
    client, writer = make_client(**options), make_writer(**options)
    video = {"key": "a", "custom": {}} if writer.api_version == "v1" else {"id": "a", "metadata": {}}
    for ask in (
        lambda: list(client.list_pages("video")),
        lambda: client.show("video", "a"),
        lambda: client.members("a"),
        lambda: writer.update_video(video, VideoEdit(title="New")),
        lambda: writer.create_video(VideoEdit(title="New")),
        lambda: writer.renew_upload("a"),
        lambda: writer.find_videos("name", "value"),
    ):
        try:
            result = ask()
            if isinstance(result, Created | UploadLink):
                shown.append(repr(result))
        except JWPlatformError:
            shown.append(traceback.format_exc())
    client.close()
    writer.close()
    records = [record for record in caplog.records if record.name.startswith(("urllib3", "requests", "jwp_pipeline"))]
    assert any(record.name == "urllib3.connectionpool" for record in records)
    shown += [record.getMessage() for record in records] + [repr(record.args) for record in records]
    for text in [*shown, repr(client), repr(vars(client).get("_transport")), repr(writer)]:
        assert SECRET not in text
        assert not re.search(r"api_signature=|page_length=|[0-9a-f]{40}", text), text


def test_the_secret_sent_is_ours_whatever_netrc_says(script, make_v2, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    script.answers = [v2_media("a")]
    make_v2().probe("video")
    assert script.headers[0]["Authorization"] == f"Bearer {SECRET}"
