# Two commands matter: `make demo` and `make test`. Both do their own set-up, and do it once.

PYTHON ?= python3
PORT ?= 8000
SIZE ?= county
PYTEST_ARGS ?= -n auto

BIN := .venv/bin
STAMPS := .stamps
PACKAGING := setup.cfg pyproject.toml constraints.txt $(wildcard build_backend/*.py)
PAGES := package.json package-lock.json $(wildcard portal/web/assets/*)
# What was built may have been removed by hand although its stamp still stands.
BUILT := portal/web/static/manifest.json
AGAIN := $(if $(wildcard $(BUILT)),,again)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Python compiles what is imported, when it is first imported; compiling all that is installed takes far longer.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable

.DEFAULT_GOAL := help
.PHONY: help install demo test lint bench clean again

help:
	@echo "make demo     a demonstration county on http://127.0.0.1:$(PORT)"
	@echo "make test     style, types, import contracts, tests on SQLite and PostgreSQL, browser journeys"
	@echo "make install  the portal and what its tests need, in .venv"
	@echo "make lint     style, types and import contracts only"
	@echo "make bench    the measurements"
	@echo "make clean    removes what was installed and built; instance/ with its data stays"

install: $(STAMPS)/test

$(STAMPS)/venv:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "The portal needs Python 3.11 or newer. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
	  echo "$(PYTHON) lacks the venv module (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS)
	@touch $@

# The package's own build makes the pages' assets, and brings Node where the machine has none.
$(STAMPS)/runtime: $(STAMPS)/venv $(PACKAGING) $(PAGES) $(AGAIN)
	@echo "Installing the portal and building its pages; the first time takes a minute or two."
	@$(INSTALL) .
	@touch $@

# The browser tests read axe-core from node_modules.
$(STAMPS)/test: $(STAMPS)/runtime $(if $(wildcard node_modules/axe-core),,again)
	@echo "Installing what the tests need."
	@test -d node_modules/axe-core || rm -f $(BUILT)
	@$(INSTALL) ".[test,redis]"
	@touch $@

# A database elsewhere may have changed behind our back, so it is looked at every time; the embedded one is ours.
ELSEWHERE := $(if $(PORTAL_DATABASE_URL)$(PORTAL_INSTANCE),again,$(if $(wildcard instance/portal.db),,again))

$(STAMPS)/data: $(STAMPS)/runtime $(wildcard migrations/versions/*.py) $(ELSEWHERE)
	@$(BIN)/portal init
	@$(BIN)/portal demo --size $(SIZE) --if-empty
	@touch $@

demo: $(STAMPS)/data
	@exec $(BIN)/portal serve --host 127.0.0.1 --port $(PORT)

lint: $(STAMPS)/test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(STAMPS)/test
	$(BIN)/python bench/run.py

clean:
	rm -rf .venv $(STAMPS) node_modules portal/web/static build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find portal migrations tests build_backend -name __pycache__ -type d -prune -exec rm -rf {} +
