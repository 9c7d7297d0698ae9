"""Records name the user who did something, also where the user has no name."""

import getpass
import os
import socket

import pytest

from jwp_pipeline.identity import current_user


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_a_user_without_a_name_is_recorded_by_number(monkeypatch, error):
    def nameless():
        raise error("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert current_user() == f"{os.getuid()}@{socket.gethostname()}"
