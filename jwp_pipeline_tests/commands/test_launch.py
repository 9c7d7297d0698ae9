"""Around a sync: Dagster's home is complete, and a wheel holds the configuration."""

import ast
import tomllib

import pytest

from jwp_pipeline import runbook
from jwp_pipeline.commands import launch
from jwp_pipeline.errors import PipelineError, SettingsError
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import PROJECT
from jwp_pipeline_tests.support.site import Site


def test_a_wheel_includes_every_configuration_file_that_the_code_reads():
    """The test reads pyproject.toml, because building a wheel needs the network."""
    asked = {
        call.args[0].value
        for source in (PROJECT / "jwp_pipeline").rglob("*.py")
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "configuration"
    }
    assert asked == {"dagster.yaml", "workspace.yaml"}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {name: f"jwp_pipeline/{name}" for name in {*asked, runbook.FOLDER}}
    assert all(launch.configuration(name) == PROJECT / name for name in asked)


def test_an_installation_without_a_configuration_file_raises_a_clear_error():
    with pytest.raises(PipelineError, match=r"nowhere\.yaml.*[Ii]nstall") as raised:
        launch.configuration("nowhere.yaml")
    assert not isinstance(raised.value, SettingsError)


def test_the_configuration_in_dagsters_home_is_complete_at_every_moment(tmp_path):
    settings = load_settings(jwp_home=tmp_path / "home")
    kept = launch.dagster_home(settings) / "dagster.yaml"
    wanted = (PROJECT / "dagster.yaml").read_bytes()
    assert kept.read_bytes() == wanted
    first = kept.stat()
    launch.dagster_home(settings)
    assert kept.stat().st_mtime_ns == first.st_mtime_ns
    # A process that is reading the old file can read it to its end.
    kept.write_bytes(b"of another version")
    with kept.open("rb") as reader:
        launch.dagster_home(settings)
        assert reader.read() == b"of another version"
    assert kept.read_bytes() == wanted
    assert [path.name for path in kept.parent.iterdir()] == ["dagster.yaml"]


def test_a_home_below_a_file_is_a_settings_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="JWP_HOME cannot be used"):
        launch.dagster_home(load_settings(jwp_home=tmp_path / "file" / "home"))


def test_a_run_that_ended_without_a_failed_step_says_why(tables_url, engine, simulator, tmp_path, monkeypatch):
    def no_runtime(runtime, run_id):
        if run_id is not None:
            raise RuntimeError("no memory is left")
        return anew(runtime, run_id)

    anew = Runtime.anew
    monkeypatch.setattr(Runtime, "anew", no_runtime)
    settings = Site(engine, simulator, "v2", database_url=tables_url, home=tmp_path).effective()
    outcome = launch.run_sync(settings, launch.SyncRequest())
    assert not outcome.success
    assert "no memory is left" in outcome.failure
    assert f"{runbook.FOLDER}/" in outcome.failure
