"""What stands around one sync: Dagster's home, and the configuration that a wheel brings along."""

import ast
import tomllib

import pytest

from jwp_pipeline.commands import launch
from jwp_pipeline.errors import PipelineError, SettingsError
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import PROJECT


def test_a_wheel_carries_every_configuration_that_is_asked_for():
    """By what pyproject.toml says: building one needs the network."""
    asked = {
        call.args[0].value
        for source in (PROJECT / "jwp_pipeline").rglob("*.py")
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "configuration"
    }
    assert asked == {"dagster.yaml", "workspace.yaml"}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {name: f"jwp_pipeline/{name}" for name in asked}
    assert all(launch.configuration(name) == PROJECT / name for name in asked)


def test_an_installation_without_its_configuration_says_so():
    with pytest.raises(PipelineError, match=r"nowhere\.yaml.*[Ii]nstall") as raised:
        launch.configuration("nowhere.yaml")
    assert not isinstance(raised.value, SettingsError)


def test_dagsters_home_holds_its_configuration_whole_at_every_moment(tmp_path):
    settings = load_settings(jwp_home=tmp_path / "home")
    kept = launch.dagster_home(settings) / "dagster.yaml"
    wanted = (PROJECT / "dagster.yaml").read_bytes()
    assert kept.read_bytes() == wanted
    first = kept.stat()
    launch.dagster_home(settings)
    assert kept.stat().st_mtime_ns == first.st_mtime_ns
    # Whoever reads the old one meanwhile goes on reading it.
    kept.write_bytes(b"of another version")
    with kept.open("rb") as reader:
        launch.dagster_home(settings)
        assert reader.read() == b"of another version"
    assert kept.read_bytes() == wanted
    assert [path.name for path in kept.parent.iterdir()] == ["dagster.yaml"]


def test_a_home_below_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="JWP_HOME cannot be used"):
        launch.dagster_home(load_settings(jwp_home=tmp_path / "file" / "home"))
