"""The graph that Dagster loads is the one in graph.txt. If you meant to change it, renew that file:

    .venv/bin/python -m jwp_pipeline_tests.orchestration.test_graph

Then read what `git diff` says.
"""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.settings import load_settings

GRAPH = Path(__file__).with_name("graph.txt")


class Plain(yaml.SafeDumper):
    """A dumper that writes a repeated value in full instead of an alias."""

    def ignore_aliases(self, data):
        return True


def described(definitions):
    """Return everything that people and schedules rely on, as YAML: assets, checks, jobs, schedules, sensors."""
    graph = definitions.resolve_asset_graph()
    repository = definitions.get_repository_def()
    return yaml.dump(
        {
            "assets": {key.to_user_string(): asset(graph, key) for key in sorted(graph.get_all_asset_keys())},
            "jobs": {job.name: job_of(repository, job.name) for job in definitions.jobs},
            "schedules": {
                schedule.name: f"{schedule.job_name} at {schedule.cron_schedule} {schedule.execution_timezone}, "
                f"{schedule.default_status.value}"
                for schedule in definitions.schedules
            },
            "sensors": {
                sensor.name: f"{' '.join(target.job_name for target in sensor.targets) or 'nothing'} every "
                f"{sensor.minimum_interval_seconds} s, {sensor.default_status.value}"
                for sensor in definitions.sensors
            },
            "executor": definitions.executor.name,
        },
        Dumper=Plain,
        sort_keys=False,
        width=200,
    )


def asset(graph, key):
    node = graph.get(key)
    spec = node.assets_def.get_asset_spec(key)
    window = spec.freshness_policy
    checks = [graph.get_check_spec(each) for each in node.check_keys]
    described = {
        "group": node.group_name,
        "kinds": " ".join(sorted(node.kinds)),
        "owners": " ".join(node.owners),
        "computed by": node.assets_def.op.name,
        "pool": " ".join(sorted(pool for pool in node.pools or () if pool)) or None,
        "after": " ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or None,
        "partitions": node.partitions_def and f"{type(node.partitions_def).__name__} from {node.partitions_def.start}",
        "fresh for": window
        and f"{window.warn_window.to_timedelta()}, then fails at {window.fail_window.to_timedelta()}",
        "checks": " ".join(sorted(f"{check.name}{'!' * check.blocking}" for check in checks)) or None,
    }
    return {name: value for name, value in described.items() if value}


def job_of(repository, name):
    job = repository.get_job(name)
    keys = " ".join(sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys))
    config = job.run_config
    return {"assets": keys, **({"config": config} if config else {})}


def test_the_graph_is_the_one_in_graph_txt():
    definitions = build_definitions()
    dg.Definitions.validate_loadable(definitions)
    assert described(definitions) == GRAPH.read_text(), __doc__


@pytest.mark.parametrize("hours", [{"warn": 0.001, "fail": 0.002}, {"warn": 5, "fail": 5}, {"warn": 9, "fail": 1}])
def test_definitions_load_with_any_freshness_window(hours):
    settings = load_settings(**{f"jwp_freshness_{name}_hours": value for name, value in hours.items()})
    dg.Definitions.validate_loadable(build_definitions(settings=settings))


if __name__ == "__main__":
    GRAPH.write_text(described(build_definitions()))
