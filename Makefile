# `make run` and `make test` set up everything they need; see README.md.
PYTHON ?= python3
BIN := .venv/bin

# Each file is tested by one worker, in the order of jwp_pipeline_tests/conftest.py: the longest begin first.
BY_FILE := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: setup run up portal test test-all torture check secrets no-secrets audit docs migrate screenshots lock clean
.DEFAULT_GOAL := run

setup: .venv/ready

# uv installs the pinned set in seconds; where it cannot be had, pip does the same more slowly.
.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed (make PYTHON=python3.12 ...)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
	  && $(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt \
	  && $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . \
	  || { $(BIN)/python -m pip install --quiet -r requirements.txt && $(BIN)/python -m pip install --quiet --no-deps --editable .; }
	@touch $@

# OPTIONS=--no-history begins a demo without two weeks of history; so it does for `make up`.
run: setup
	@$(BIN)/jwp-pipeline run $(OPTIONS)

up: setup
	@$(BIN)/jwp-pipeline up $(if $(PORT),--port $(PORT)) $(OPTIONS)

# The example application on the record: choose who you are, and see what you may see.
portal: setup
	@$(BIN)/jwp-pipeline with-site -- $(BIN)/python -m examples.portal

test: setup
	@$(BIN)/python -m slipcover --source jwp_pipeline --json --out .coverage.json -m pytest $(BY_FILE) -m "not slow"
	@$(BIN)/python -c 'import json; print(json.load(open(".coverage.json"))["summary"]["percent_covered_display"], "% of the lines were run")'

# What `make test` leaves out, and the property tests once more with many more examples.
test-all: setup
	@$(BIN)/python -m pytest $(BY_FILE) -m "slow or hypothesis" --hypothesis-profile thorough

# Rounds of syncs and pushes under faults (docs/reliability.md). OPTIONS="--rounds 2000 --minutes 120 --seed 7", say.
torture: setup
	@$(BIN)/python -m jwp_pipeline_tests.campaign $(OPTIONS)

check: setup docs secrets
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

# The documents as a site in site/. A broken link or anchor, or a page that no table of contents names, is an error.
docs: setup
	@$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet --doctree-dir site/.doctrees docs site

SCANNED := git ls-files -- ':!:*.xz' ':!:*.png' ':!:*.svg' ':!:requirements.txt' ':!:.secrets.baseline'

# Fails if a file has something that looks like a secret and is not in the list of those that are none. Exit code 3 means
# that a listed one has moved to another line; that is no fault, so only a copy of the list is brought up to date.
secrets: setup
	@cp .secrets.baseline .venv/secrets.baseline
	@found=$$($(BIN)/detect-secrets-hook --no-verify --baseline .venv/secrets.baseline $$($(SCANNED))) \
	  || [ $$? -eq 3 ] || { echo "$$found"; exit 1; }

# Once somebody has looked at what `make secrets` reports, and it is no secret: puts it on the list.
no-secrets: setup
	@$(BIN)/detect-secrets scan --no-verify --baseline .secrets.baseline $$($(SCANNED))

# Known faults of our dependencies, as far as the database of them can be reached from here.
audit: setup
	@$(BIN)/uv tool run --from 'pip-audit>=2.10,<3' pip-audit --requirement requirements.txt --no-deps --disable-pip \
	  --strict --vulnerability-service osv --progress-spinner off \
	  || { echo "Not passed: either a fault is listed above, or not every package could be looked up."; exit 1; }

migrate: setup
	@$(BIN)/jwp-pipeline migrate

# Takes the README's pictures of the UI anew; needs Chromium.
screenshots: setup
	@$(BIN)/python docs/make_screenshots.py

# Renews the pins. No index is named, so the file holds no host.
lock:
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --group dev --no-emit-index-url \
	  --custom-compile-command "make lock" -o requirements.txt pyproject.toml

clean:
	rm -rf .venv .jwp .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage.json site
