"""A short campaign, and a few bad inputs of every kind. `make torture` runs long ones."""

import subprocess
import sys

import pytest
from hypothesis import settings

from jwp_pipeline_tests.campaign.inputs import try_inputs
from jwp_pipeline_tests.campaign.kinds import KINDS
from jwp_pipeline_tests.campaign.planted import FAULTS, is_outdated
from jwp_pipeline_tests.support import PROJECT, bare_environment, unset_all_settings


@pytest.mark.slow
def test_every_promise_holds_in_a_short_campaign(tmp_path):
    """P1-P8: the invariants are those of invariants.py.

    It has the seed and the kind of runs (`functions`) of the longest campaign so far, whose first rounds it repeats.
    """
    options = ["--rounds", "16", "--minutes", "1", "--seed", "1001", "--through", "functions"]
    command = [sys.executable, "-m", "jwp_pipeline_tests.campaign", *options]
    environment = bare_environment(PYTHONPATH=str(PROJECT))
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Every promise held in every round." in ran.stdout


def test_every_fault_can_still_be_planted():
    assert [fault.name for fault in FAULTS if is_outdated(fault)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_makes_anything_crash_or_tell_a_secret(kind, monkeypatch, tmp_path):
    """P4, P5 and P7: a bad input is a problem, or an error of our tree."""
    monkeypatch.chdir(tmp_path)
    unset_all_settings(monkeypatch)
    examples = settings().max_examples
    assert sum(try_inputs(kind, examples, 1).values()) >= examples
