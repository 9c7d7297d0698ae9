"""The process that makes one run under faults. It is forked from a server that has imported everything, in hundredths
of a second, and talks with the campaign over a pipe.
"""

import os
import resource
import signal
import sys
import traceback
from dataclasses import dataclass, field

from sqlalchemy.orm import configure_mappers

from jwp_pipeline.errors import PipelineError
from jwp_pipeline.masking import masker_of
from jwp_pipeline.runbook import error_text
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.campaign.runs import HOW, hurry
from jwp_pipeline_tests.campaign.steps import Steps
from jwp_pipeline_tests.support.syncing import pages_of_at_most

# Once, in the server that forks, and not in every child.
configure_mappers()

DONE, FAILED, CRASHED, INTERRUPTED = 0, 1, 70, 130


@dataclass(frozen=True)
class Job:
    """What a child runs, and what happens to it."""

    name: str
    through: str
    settings: dict = field(repr=False)
    page_length: int
    acts: dict
    """Step → act."""
    folder: str
    url: str = field(repr=False)
    """The server's own URL, past any relay."""
    schema: str

    @property
    def log(self):
        return os.path.join(self.folder, "log")


def main(job, pipe):
    """Make the run and exit. The pipe gets questions while it runs, and at the end a dict with what is known of it."""
    log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir(job.folder)
    hurry()

    def ask_parent(what):
        pipe.send(what)
        pipe.recv()

    steps = Steps(job.acts, url=job.url, schema=job.schema, ask_parent=ask_parent)
    settings = load_settings(**job.settings)
    steps.install()
    code, error = CRASHED, None
    try:
        with pages_of_at_most(job.page_length):
            code = HOW[job.through](job.name, settings)
    except PipelineError as failed:
        code, error = FAILED, f"{type(failed).__name__}: {error_text(failed)}"
        print(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException as crashed:
        error = f"{type(crashed).__name__}"
        traceback.print_exc()
    sys.stdout.flush()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = error and masker_of(settings)(error)
    pipe.send({"steps": steps.number, "done": steps.done, "peak": peak, "error": error})
    os._exit(code)
