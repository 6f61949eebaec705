# Everything runs in .venv, which `make setup` builds from requirements.lock. The other targets
# call it first; once it is built that costs a few milliseconds.

SCENARIO ?= scenarios/two_abdominal_metastases.yaml
BOARD ?= model
OUT ?= runs/$(basename $(notdir $(SCENARIO)))
PYTEST_ARGS ?= -n auto

VENV := .venv

# An interpreter named by the caller (PYTHON=python3.12) reaches the scripts; these must not, as
# they would let modules from outside .venv in.
export PYTHON
unexport PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help setup run test bench docs boards coverage misra mutations lint clean lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s  %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "make run takes SCENARIO= ($(SCENARIO)), BOARD= ($(BOARD)), OUT= ($(OUT));"
	@echo "make test takes PYTEST_ARGS= ($(PYTEST_ARGS)), BOARDS=no (installs nothing for boards); make setup takes PYTHON= (python3)."

setup: ## build .venv with the locked dependencies and this project (once)
	@tools/setup.sh

# Installs what emulated boards need; never fatal.
BOARD_PACKAGES := TEST_PACKAGES=board_packages.txt TEST_PACKAGES_LIMIT=1800 tools/test_packages.sh

run: setup ## run SCENARIO on BOARD and write the report to OUT
	@TEST_PACKAGES_FOR="$(BOARD)" $(BOARD_PACKAGES)
	@$(VENV)/bin/interlock run "$(SCENARIO)" --board "$(BOARD)" --out "$(OUT)"

# The packages come after lint, which needs none; pytest ends with what was skipped and why.
test: lint ## lint, then all tests; what was skipped and why is listed at the end
	@tools/test_packages.sh
	@[ "$(BOARDS)" = no ] || TEST_PACKAGES_NOTE="up to 1.1 GB, BOARDS=no leaves them out" $(BOARD_PACKAGES)
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)

bench: setup ## measure simulation speed
	$(VENV)/bin/python tests/bench/run.py

boards: setup ## install what emulated boards need and build the firmware of each
	@$(BOARD_PACKAGES)
	@tools/boards.sh $(VENV)/bin/python

coverage: setup ## print which lines and branches of the firmware core the tests reach
	@$(VENV)/bin/python -m tests.firmware_c.coverage

misra: setup ## print where the firmware core breaks a coding rule without a reason
	@$(VENV)/bin/python -m tests.firmware_c.misra

mutations: setup ## plant every known mistake in the firmware core and print what notices it
	@$(VENV)/bin/python -m tests.firmware_c.mutation

docs: setup ## rewrite docs/table.md and docs/states.md from the interlock table and the states
	$(VENV)/bin/python tools/docs.py

lint: setup ## ruff check, ruff format --check and mypy
	$(VENV)/bin/python -m ruff check
	$(VENV)/bin/python -m ruff format --check
	$(VENV)/bin/python -m mypy

clean: ## remove .venv, caches and build products (runs/ stays)
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## rewrite requirements.lock from pyproject.toml (Python 3.11; LOCK_ARGS=--upgrade)
	@tools/lock.sh
