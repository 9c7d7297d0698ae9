"""What the commands print, where, and for whom."""

import json
import re

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import PROJECT, python

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3
DOCUMENTED = set(re.findall(r"`(\w+)`", (PROJECT / "docs" / "command-line.md").read_text()))


def document(ran, kind):
    """Return the document that a command has printed as its only output. Its names are documented."""
    content = json.loads(ran.out)
    assert (content["format"], content["kind"]) == (1, kind)
    assert set(content) <= DOCUMENTED
    return content


def test_json_is_all_that_a_program_gets(site):
    library = site.simulator.library
    before = document(site.jwpfetch("--status", "--json"), "status")
    assert (before["in_step"], before["types"]["video"]["full_listing_of"]) == (False, None)
    assert set(before["types"]["video"]) | set(before["edits"]) <= DOCUMENTED
    ran = site.jwpfetch("--json")
    done = document(ran, "sync")
    assert (ran.code, ran.error, done["exit_code"], done["success"]) == (DONE, "", 0, True)
    assert {applied["resource_type"]: applied["plan"]["added"] for applied in done["applied"]} == {
        "video": 40,
        "channel": 3,
    }
    assert done["media"][0]["tables"]["media_items"]["created"] == 40
    after = document(site.jwpfetch("--status", "--json"), "status")
    assert (after["in_step"], after["troubles"], after["types"]["video"]["live"]) == (True, [], 40)

    first, *rest = library.keys("video")
    library.edit("video", first, title="Edited\x1b[2J")
    library.remove("video", *rest[:15])
    dry = document(site.jwpfetch("--dry-run", "--json", "--all"), "sync")
    plan = next(each["plan"] for each in dry["applied"] if each["resource_type"] == "video")
    assert plan["changes_left_out"] == 0
    assert len(plan["changes"]) == 16
    [edited] = [change for change in plan["changes"] if change["key"] == first]
    [title] = [difference for difference in edited["differences"] if difference["path"] == "title"]
    assert title["new"] == "Edited\x1b[2J"
    stopped = site.jwpfetch("--json")
    content = document(stopped, "sync")
    assert (stopped.code, content["exit_code"]) == (REFUSED, REFUSED)
    assert f"--release {content['snapshot_to_release']}" in stopped.error
    assert document(site.jwpfetch("--push", "--dry-run", "--json"), "push")["dry_run"] is True
    wrong = document(site.jwpfetch("--json", JWP_MAX_DELETE_RATIO="a third"), "error")
    assert (wrong["error"], wrong["exit_code"]) == ("SettingsError", USAGE)


def test_a_quiet_command_says_nothing_until_something_is_wrong(site):
    ran = site.jwpfetch("--quiet")
    assert (ran.code, ran.out, ran.error) == (DONE, "", "")
    site.simulator.faults.add(Fault.status(403), times=None)
    ran = site.jwpfetch("--quiet")
    assert (ran.code, ran.out) == (FAILED, "")
    assert ran.error.count("\n") == 1
    site.simulator.faults.clear()
    site.simulator.faults.add(Fault.wrong_total(5), route="list", resource="video", times=None)
    ran = site.jwpfetch("--quiet")
    assert (ran.code, ran.out) == (DONE, "")
    assert "The listing of videos is incomplete, so nothing is deleted because of it" in ran.error


def test_each_retry_is_told_once_and_a_verbose_command_shows_what_dagster_logs(site):
    """The command has a process of its own, because pytest would capture a retry that is logged as well."""
    site.simulator.faults.add(Fault.status(503, "html"))
    ran = site.run("jwpfetch", "--verbose", **site.environment)
    assert ran.code == DONE
    assert (ran.out + ran.error).count("HTTP 503") == 1
    assert "raw_videos - page 1: 40 of 40 videos" in ran.error


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "argparse" and "jwp_pipeline.commands.cli" in sys.modules:
            os.kill(os.getpid(), signal.SIGINT)
sys.modules.pop("argparse", None)
sys.meta_path.insert(0, Interrupt())
from jwp_pipeline.commands.scripts import jwpfetch
sys.exit(jwpfetch())
"""


def test_an_interrupt_while_the_command_is_loaded_is_one_line(site):
    with python(INTERRUPTED_WHILE_LOADING, **site.environment) as process:
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (
        FAILED,
        "",
        "Interrupted; the next run goes on from what is stored.\n",
    )


def test_psql_opens_the_database_with_our_tables(site, engine):
    site.jwpfetch()
    query = ["--", "-At", "-c", "SELECT count(*) FROM jwp.media_items"]
    ran = site.run("jwp-pipeline", "psql", *query, **site.environment)
    assert ran.code == DONE, ran
    assert ran.out == "40\n"
