# Everything a person does with this project, by name. `make` lists the targets.
# Only Python >= 3.11 has to be there; `make setup` brings the rest into .venv, and the local stack finds, downloads or
# builds the programs that are not Python's (etcd, kube-apiserver, Temporal) when it first needs them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-tools
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
DIR ?= .meshwright
ROOMS := resources workflows activities watcher injector control_plane cli deploy
CODE := $(ROOMS) examples benchmarks docs tests

.PHONY: help
help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.ready ## Make .venv from the lock files (runs by itself when needed).

$(VENV)/.ready: requirements-dev.txt requirements-last.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "meshwright needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) (one to three minutes when nothing is cached) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --force-reinstall --no-deps --requirement requirements-last.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS)/.ready: requirements-tools.txt | $(VENV)/.ready
	@echo "Making $(TOOLS), for the programs that need an environment of their own ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TOOLS)
	@VIRTUAL_ENV=$(TOOLS) $(BIN)/uv pip sync --quiet --require-hashes requirements-tools.txt
	@touch $@

.PHONY: demo
demo: setup ## Start everything, apply a mesh, change it, delete it, stop. KEEP=1 leaves it running.
	@$(BIN)/python -m examples.demo $(if $(KEEP),--keep)

.PHONY: up
up: setup ## Start the local stack in the background (DIR=.meshwright).
	@$(BIN)/meshwright up --detach --dir $(DIR)

.PHONY: down
down: setup ## Stop what `make up` started.
	@$(BIN)/meshwright down --dir $(DIR)

.PHONY: tools
tools: setup ## Put kubectl, Envoy and Helm beside meshwright into .venv/bin, where they are missing.
	@$(BIN)/python -m deploy.local.toolchain --link $(BIN) kubectl envoy helm

.PHONY: test
test: fast e2e ## Run the whole suite: fast tests first, then end to end on the real parts.

.PHONY: fast
fast: setup ## Run the tests that need no other program.
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not e2e and not faults"

.PHONY: sequences
sequences: setup ## Try two thousand random sequences of edits, planner against control plane (two minutes).
	@$(BIN)/python -m pytest -q tests/convergence --sequences 1000

.PHONY: e2e
e2e: setup $(TOOLS)/.ready ## Run the end-to-end tests: real etcd, kube-apiserver, Temporal, control plane.
	@$(BIN)/python -m deploy.local.toolchain
	@$(BIN)/python -m deploy.local.toolchain kubectl
	@$(BIN)/python -m pytest -q -m e2e -n auto --maxprocesses 2 --dist loadfile

.PHONY: faults
faults: setup ## Run the whole fault matrix and print its table (twenty minutes).
	@$(BIN)/python -m deploy.local.toolchain
	@$(BIN)/python -m pytest -q -m faults --faults=full tests/faults

.PHONY: fmt
fmt: setup ## Format the code.
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix --quiet $(CODE)

.PHONY: lint
lint: setup ## Check style, spelling, types and the layers between rooms.
	@$(BIN)/ruff format --check --quiet $(CODE)
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

.PHONY: generate
generate: setup ## Write what is made from the code: CRDs and reference pages.
	@$(BIN)/python -m deploy.generate
	@$(BIN)/python -m docs.generate

.PHONY: docs
docs: setup $(TOOLS)/.ready ## Make the site of the documentation (build/docs/index.html); a broken link is an error.
	@$(TOOLS)/bin/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs build/docs

.PHONY: links
links: setup $(TOOLS)/.ready ## Ask for every external link of the documentation.
	@$(TOOLS)/bin/sphinx-build --quiet --builder linkcheck docs build/docs-links

.PHONY: screenshots
screenshots: setup $(TOOLS)/.ready ## Make the pictures of Temporal's UI in docs/how-to anew (needs chromium).
	@$(BIN)/python -m docs.screenshots

.PHONY: lock
lock: LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --custom-compile-command "make lock"
lock: setup ## Resolve the dependencies of pyproject.toml anew into the lock files.
	@$(LOCK) pyproject.toml --extra local --group dev --upgrade --output-file requirements-dev.txt
	@$(LOCK) pyproject.toml --extra local --constraint requirements-dev.txt --output-file requirements.txt
	@printf "%s\n" googleapis-common-protos opentelemetry-proto | $(LOCK) - --no-deps --constraint requirements-dev.txt --output-file requirements-last.txt
	@$(LOCK) --group pyproject.toml:tools --upgrade --output-file requirements-tools.txt
	@echo hatchling | $(LOCK) - --constraint requirements-dev.txt --output-file deploy/image/requirements-build.txt

.PHONY: audit
audit: setup $(TOOLS)/.ready ## Ask for known vulnerabilities of all Python packages; write dist/meshwright.cdx.json (SBOM).
	@$(BIN)/python -m deploy.audit

.PHONY: bench
bench: setup ## Measure everything and write docs/explanation/performance.md (twenty minutes to sixty).
	@$(BIN)/python -m benchmarks --write

.PHONY: check
check: lint docs test ## All that CI runs.
