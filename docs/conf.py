"""Builds the documents of this folder as a site, with Sphinx: `make docs` writes it to site/.

Sphinx was chosen because it is kept, in November 2026 unlike Material for MkDocs, and because without any addition it
fails on a page that no table of contents names. The site asks no other host for anything, and its search works from a
file. Put here how pages are made; what generated pages say is in reference_pages.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import reference_pages  # noqa: E402

from jwp_pipeline import __version__  # noqa: E402

project = "jwp_pipeline"
release = version = __version__
# A footer that names nobody.
html_show_copyright = html_show_sphinx = html_copy_source = False

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["*.py", "__pycache__"]
html_theme = "furo"
html_title = f"jwp_pipeline {__version__}"
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["deflist"]
# Headings down to this level can be linked to, under the names that GitHub gives them.
myst_heading_anchors = 4

# Our docstrings are plain text, in which names are between single backticks.
default_role = "literal"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

# Pages of the site for files that are not in this folder.
_PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
_LINK = re.compile(r"\[([^\]]+)\]\(([\w./-]+)((?:#[\w-]+)?)\)")


class Generated(SphinxDirective):
    """Stands for the Markdown of a function of reference_pages.py, or for a document of the root: `{generated} x`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the nodes of the text."""
        name = self.arguments[0]
        if name in _PAGES:
            text = with_links_of_the_site((ROOT / name).read_text(), ROOT)
        else:
            text = getattr(reference_pages, name)()
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def with_links_of_the_site(text: str, folder: Path) -> str:
    """Return a document of `folder` in which links lead to pages, or are mere text where they leave the site."""

    def changed(link: re.Match[str]) -> str:
        words, target, anchor = link.groups()
        path = (folder / target).resolve()
        if path.is_relative_to(HERE):
            # From the root's documents the way leads into this folder, in which their pages are.
            return f"[{words}]({path.relative_to(HERE)}{anchor})" if folder == ROOT else link[0]
        page = _PAGES.get(path.name) if path.parent == ROOT else None
        return f"[{words}](/{page}{anchor})" if page else words

    return _LINK.sub(changed, text)


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = with_links_of_the_site(source[0], (HERE / page).parent)


def setup(app: Sphinx) -> None:
    """Add what is special about these pages."""
    app.add_directive("generated", Generated)
    app.connect("source-read", _read)
