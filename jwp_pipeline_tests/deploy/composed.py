"""Runs the services of deploy/ as processes on this machine, because tests have no Docker.

Command lines and settings are those of compose.yaml. Only what a container brings with it is replaced: its address and
ports by 127.0.0.1 and free ports, its folders by those of the test, the PostgreSQL by that of the tests, and docker's
env files by those that the test writes, as docs/deploy.md says.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import yaml

from jwp_pipeline_tests.support import PROJECT, bare_environment, free_port

DEPLOY = PROJECT / "deploy"
HOST = "127.0.0.1"


def services_of(*files):
    """Return the services of compose files, of which later ones add to earlier ones, by name."""
    services = {}
    for file in files:
        for name, service in yaml.safe_load((DEPLOY / file).read_text())["services"].items():
            services.setdefault(name, {}).update(service)
    return services


def copied(value, old, new):
    """Return a copy of a part of a compose file or workspace.yaml with a site's name replaced by that of another."""
    return yaml.safe_load(yaml.safe_dump(value).replace(old, new))


class Deployment:
    """Services of compose files as processes, each of which has a process group of its own, as a container has."""

    def __init__(self, folder, files, env_files):
        """`env_files` maps the name of each env file to its settings."""
        self.folder = folder
        self.services = services_of(*files)
        for name, service in list(self.services.items()):
            # The third site, made as the documentation says.
            if name.startswith("law"):
                self.services[name.replace("law", "music")] = copied(service, "law", "music")
        self._env_files = env_files
        self._ports = {}
        self.processes = {}
        workspace = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
        workspace.append(copied(workspace[-1], "law", "music"))
        for entry in workspace:
            server = entry["grpc_server"]
            server |= {"host": HOST, "port": self.port(server["host"], server["port"])}
        self._home(workspace)

    def _home(self, workspace):
        """Make Dagster's home with the files that compose.yaml mounts there."""
        home = self.folder / "dagster"
        home.mkdir()
        for mount in self.services["daemon"]["volumes"]:
            source, target, _ = mount.split(":")
            shutil.copy(DEPLOY / source, home / Path(target).name)
        (home / "workspace.yaml").write_text(yaml.safe_dump({"load_from": workspace}))

    def port(self, service, port):
        """Return the port that stands for a service's own one."""
        return self._ports.setdefault((service, str(port)), free_port())

    def listens(self, service, port):
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port(service, port))) == 0

    def _here(self, value):
        """Return a setting with the address that stands for Redis's."""
        return value.replace("redis:6379", f"{HOST}:{self.port('redis', 6379)}")

    def start(self, service, *, name=None):
        """Start a service, or another instance of it under another name."""
        composed = self.services[service]
        program, *arguments = (
            HOST if word == "0.0.0.0" else str(self.port(service, word)) if word.isdigit() else word
            for word in composed["command"]
        )
        settings = {
            key: self._here(value)
            for file in composed.get("env_file", ())
            for key, value in self._env_files[file].items()
        }
        environment = bare_environment(
            **settings,
            **composed.get("environment", {}),
            DAGSTER_HOME=str(self.folder / "dagster"),
            JWP_HOME=str(self.folder / (name or service)),
        )
        with (self.folder / f"{name or service}.log").open("a") as log:
            self.processes[name or service] = subprocess.Popen(
                [Path(sys.executable).parent / program, *arguments],
                cwd=self.folder / "dagster",
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, name, number):
        """Send a signal to all processes of a service, as if its whole machine were meant."""
        os.killpg(self.processes[name].pid, number)

    def lose(self, name):
        """Kill all processes of a service at once."""
        self.signal(name, signal.SIGKILL)
        self.processes.pop(name).wait()

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def end(self):
        for name in list(self.processes):
            with suppress(ProcessLookupError):
                self.lose(name)
