# Assay's commands. `make run` and `make test` work from a clean checkout; `make help` lists all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# stamps live in the environment, so they go with it
STAMPS := $(VENV)/.stamps
INSTALL := $(BIN)/python tools/install.py
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check demo fuzz bench docs messages format requirements clean

help:
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST))

## make run           start everything with the demo institution (PORT=8000)
run: setup
	@ASSAY_ENV=$${ASSAY_ENV:-demo} $(BIN)/assay up

## make demo          one whole case over HTTP, as all of its people (writes demo-out/)
demo: setup-dev
	@$(BIN)/assay demo --out demo-out

## make test          every test; make test T=tests/unit for some
test: setup-dev
	@sh tools/system_packages.sh
	@$(BIN)/python -m tools.run_tests $(T)

## make check         lint, types, import arrows, our own rules
check: setup-dev
	@echo "ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@echo "mypy" && $(BIN)/mypy
	@echo "import-linter" && $(BIN)/lint-imports --no-logo
	@echo "our own rules" && $(BIN)/python -m checks

## make fuzz          made-up input of strangers, ten minutes of each kind (ASSAY_FUZZ_SECONDS=600)
fuzz: setup-dev
	@$(BIN)/python -m tests.fuzz

## make bench         benchmarks as a table and in bench/results.json
bench: setup-dev
	@$(BIN)/python -m bench

## make docs          pages that are made from the code
docs: setup
	@$(BIN)/python -m app.settings > docs/settings.md

## make messages     bring the languages' catalogues up to date (L=fr begins one)
messages: setup-dev
	@$(BIN)/python -m tools.messages $(L)

## make format        let ruff put the code in form
format: setup-dev
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

## make requirements  compile requirements*.in to hashed requirements*.txt
requirements: setup-dev
	@for each in requirements requirements-dev requirements-node; do \
		$(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
			--no-emit-index-url --no-header $$each.in --output-file $$each.txt || exit 1; \
	done

## make setup         environment, requirements and browser assets for running
setup: $(STAMPS)/runtime $(STAMPS)/assets

setup-dev: $(STAMPS)/dev $(STAMPS)/assets

## make clean         remove what setup made; data in .assay/ stays
clean:
	rm -rf $(VENV) node_modules app/static/vendor

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Assay needs Python 3.11 or newer, and this is " + sys.version.split()[0] + \
		". Name one: make PYTHON=python3.11")'
	@test -x $(BIN)/python || { echo "Making the environment $(VENV)"; \
		$(PYTHON) -m venv $(VENV) || { echo "Python has no venv module; on Debian: \
apt-get install python3-venv"; exit 1; }; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.txt pyproject.toml | $(STAMPS)/venv
	@echo "Installing what Assay runs on"
	@$(INSTALL) requirements.txt
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	@echo "Installing what checks and tests need"
	@$(INSTALL) requirements-dev.txt
	@touch $@

$(STAMPS)/node: requirements-node.txt | $(STAMPS)/runtime
	@{ command -v node && command -v npm; } >/dev/null || { \
		echo "There is no Node on this machine; installing its wheel"; \
		$(INSTALL) requirements-node.txt && $(BIN)/python -m tools.link_node; }
	@touch $@

$(STAMPS)/assets: package-lock.json tools/build_assets.py | $(STAMPS)/node
	@echo "Building the browser's assets"
	@npm ci --silent --no-audit --no-fund
	@$(BIN)/python -m tools.build_assets
	@touch $@
