"""The documents for developers are true: the files that they name exist, and citations of the contract are right."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "jwp_pipeline_tests").rglob("*.md")])
PACKAGES = [ROOT / "jwp_pipeline", ROOT / "jwp_pipeline_tests"]

FOLDER = r"(?:[\w-]+/)+"
FILE = r"(?:[\w.-]+/)*[\w-]+\.(?:py|sql|md|toml|yaml|txt|svg|png)"


def named(pattern, document):
    """Return the texts in backticks that match the pattern as a whole."""
    return re.findall(rf"`({pattern})`", document.read_text())


# The paths in this document are those of a user's own folders.
OF_OTHER_FOLDERS = ROOT / "docs" / "several-sites.md"


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path != OF_OTHER_FOLDERS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_path_that_a_document_names_exists(document):
    roots = [ROOT, *PACKAGES, document.parent]
    for path in named(f"{FOLDER}|{FILE}", document):
        assert any((root / path).exists() for root in roots), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_a_document_names_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), flags=re.MULTILINE)) <= targets


def test_every_folder_of_the_package_is_explained():
    """A folder that holds only SQL statements counts, too."""
    package = ROOT / "jwp_pipeline"
    rooms = {path.parent.relative_to(package) for path in package.rglob("*") if path.suffix in {".py", ".sql"}} - {
        Path()
    }
    explained = {Path(room) for room in named(FOLDER, ROOT / "docs" / "architecture.md")}
    # Folders within a folder of statements only sort them.
    assert {room for room in rooms if room.parent.name != "sql"} <= explained


def test_every_section_and_promise_that_is_cited_exists():
    contract = (ROOT / "docs" / "semantics.md").read_text()
    headings = set(re.findall(r"^#+ ([\d.]*\d)\.? ", contract, flags=re.MULTILINE))
    promises = set(re.findall(r"^\| (P\d) \|", contract, flags=re.MULTILINE))
    sources = [path for root in PACKAGES for suffix in ("py", "sql") for path in root.rglob(f"*.{suffix}")]
    cited = 0
    for path in [*sources, *DOCUMENTS]:
        words = path.read_text()
        for section in re.findall(r"semantics,? §([\d.]*\d)", words, flags=re.IGNORECASE):
            assert section in headings, f"{path.name} cites section {section}"
            cited += 1
        assert set(re.findall(r"\b(P\d)\b", words)) <= promises, path.name
    assert cited > 20
    assert set(re.findall(r"\(§([\d.]*\d)\)", contract)) <= headings


def test_every_figure_in_the_readme_is_held_by_the_document_that_it_names():
    readme = (ROOT / "README.md").read_text()
    held = 0
    # A promise is a line of the table; elsewhere the unit is a paragraph.
    for said in [*re.findall(r"^\| \*\*.*", readme, flags=re.MULTILINE), *readme.split("\n\n")]:
        documents = [ROOT / name for name in re.findall(r"\((docs/(?:scale|reliability)\.md)", said)]
        if not documents or said.startswith("| promise"):
            continue
        for figure in re.findall(r"(?<!dlt )\b\d[\d,.]*\d\b", said):
            assert any(figure in document.read_text() for document in documents), figure
            held += 1
    assert held > 4
