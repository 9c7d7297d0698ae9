"""The site of the documents is built from clean sources only, asks no other host, and its search works from a file.

`make check` builds the site itself. Here its guards are tried, and it is looked at in a browser.
"""

import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from jwp_pipeline import outbox, record
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.end_to_end.ui import IN_A_BROWSER, browser
from jwp_pipeline_tests.support import PROJECT

pytestmark = IN_A_BROWSER
AROUND = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "jwp_pipeline", "jwp_pipeline_tests", "examples")


class Documents:
    """A copy of the documents, and the site that is built from them as `make docs` does."""

    def __init__(self, folder):
        self.folder = folder / "docs"
        self.site = folder / "site"
        shutil.copytree(PROJECT / "docs", self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        for name in AROUND:
            (folder / name).symlink_to(PROJECT / name)

    def build(self):
        """Build the site, and return what went wrong."""
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
        command += ["--doctree-dir", self.site / ".doctrees", self.folder, self.site]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert bool(done.returncode) == bool(done.stderr), done
        return done.stderr

    def page(self, name):
        return (self.site / name).read_text()


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    documents = Documents(tmp_path_factory.mktemp("documents"))
    assert documents.build() == ""
    return documents


def test_what_the_code_says_is_in_the_reference(documents):
    settings = documents.page("reference/settings.html")
    assert [name for name in Settings.model_fields if name.upper() not in settings] == []
    api = documents.page("reference/python.html")
    for module in (record, outbox):
        names = set(module.__all__) - {"Settings", "ANONYMOUS"}
        assert {name for name in names if name not in api} == set()
    assert PipelineError.__name__ in api
    assert "Moves only when" in documents.page("reference/tables.html")
    assert "--skip-video-fetch" in documents.page("reference/commands.html")
    assert "Unreleased" in documents.page("changelog.html")


@pytest.mark.parametrize(
    ("page", "text", "complaint"),
    [
        ("scale.md", "[nowhere](nowhere.md)", "nowhere.md"),
        ("scale.md", "[nowhere](safety.md#nowhere)", "nowhere"),
        ("nowhere_named.md", "# A page that no table of contents names", "toctree"),
    ],
)
def test_a_broken_link_or_anchor_or_a_page_that_is_nowhere_named_fails_the_build(documents, page, text, complaint):
    path = documents.folder / page
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\n{text}\n")
    try:
        assert complaint in documents.build()
    finally:
        path.write_text(before) if before else path.unlink()
    assert documents.build() == ""


def test_the_site_is_read_and_searched_without_a_network(documents):
    asked = []
    with browser() as chromium, chromium.new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto((documents.site / "index.html").as_uri())
        page.get_by_placeholder("Search").fill("withheld")
        page.get_by_placeholder("Search").press("Enter")
        found = page.get_by_role("link", name="Deletions are withheld").first
        expect(found).to_be_visible()
        found.click()
        expect(page.get_by_role("heading", name="Deletions are withheld")).to_be_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
