"""`jwp-pipeline worker` says what it lacks; deploy/test_workers.py runs workers."""

import pytest

from jwp_pipeline.commands import cli
from jwp_pipeline_tests.support import set_only

USAGE = 2
REDIS = "redis://user:not-a-real-secret@127.0.0.1:9/0"


@pytest.mark.parametrize(
    ("settings", "named"), [({}, "JWP_CELERY_URL is not set"), ({"JWP_CELERY_URL": REDIS}, "DAGSTER_HOME is not set")]
)
def test_a_worker_needs_redis_and_the_dagster_yaml_of_the_deployment(settings, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    set_only(monkeypatch, settings)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert cli.main(["worker"]) == USAGE
    told = capsys.readouterr()
    assert named in told.err
    assert "docs/deploy.md" in told.err
    assert "not-a-real-secret" not in told.out + told.err
