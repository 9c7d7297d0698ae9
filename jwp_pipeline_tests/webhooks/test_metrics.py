"""The receiver, which the world reaches through a proxy, tells metrics only if it was told to."""

import pytest
import requests

from jwp_pipeline.settings import load_settings
from jwp_pipeline.status.metrics import registry


def ask(served):
    return requests.get(f"{served.url}metrics", timeout=30)


def test_by_default_there_are_no_metrics(receiver):
    assert ask(receiver).status_code in (404, 405)


def test_if_it_is_told_to_it_tells_them_and_still_takes_events(serve, engine, configured):
    metrics = registry(lambda: engine, load_settings(**configured), lambda: ())
    with serve(metrics) as served:
        answer = ask(served)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "jwp_pipeline_up 1.0" in answer.text
        assert requests.post(f"{served.url}metrics", json={}, timeout=30).status_code in (401, 405)
        assert requests.get(f"{served.url}healthz", timeout=30).text == "ok\n"


@pytest.mark.parametrize("arguments", [[], ["--metrics"]])
def test_the_command_line_says_so(arguments):
    from jwp_pipeline.commands.cli import pipeline_parser

    assert pipeline_parser().parse_args(["webhooks", *arguments]).metrics is bool(arguments)
