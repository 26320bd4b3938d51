# Everything runs in .venv, which every target sets up itself: with what users need, and what developers need if the
# target requires that.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEVELOPING := $(VENV)/.developing
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
GLANCE := .venv-glance

.PHONY: help setup develop demo fleet-demo test lint types unit test-glance test-page test-container test-fleet fleet-nights nights walks guard bench bench-glance bench-fleet lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(READY) ## make .venv from locked requirements, with what users need

develop: $(DEVELOPING) ## add what developers need to .venv

$(READY): requirements/runtime.txt requirements/build.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	$(PIP) --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q janitor  # as an installation does: where PYTHONDONTWRITEBYTECODE is set, no start would
	@touch $@

$(DEVELOPING): $(READY) requirements/dev.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(READY) ## three nights against the embedded sandbox, on simulated time
	@$(BIN)/janitor demo

fleet-demo: $(READY) ## a night of 200 accounts, with three workers of which one is killed; needs PostgreSQL's programs
	@$(BIN)/janitor fleet demo

test: lint types unit ## lint, types, tests

lint: $(DEVELOPING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEVELOPING)
	$(BIN)/mypy

unit: $(DEVELOPING)
	$(BIN)/pytest -n auto --dist worksteal

test-glance: $(DEVELOPING) $(GLANCE)/.ready ## test against a real Glance and Keystone; installs and starts both
	$(BIN)/pytest --timeout 300 tests/glance

test-page: $(DEVELOPING) ## click through the sandbox's Slack in headless Chromium; without it, and where apt-get cannot install it, says so
	$(BIN)/python -m tests.browser install
	$(BIN)/pytest -rs tests/sandbox/slack/test_in_browser.py

test-container: $(DEVELOPING) ## build the container without an engine and run it; needs root and apt-get, else says so and does nothing
	$(BIN)/pytest --timeout 1020 -rs tests/container

test-fleet: $(DEVELOPING) ## test the fleet on a real PostgreSQL, and ten nights of kills; installs Debian's or that of a wheel where none is, and says which it uses
	$(BIN)/python -m tests.fleet.postgres install
	$(BIN)/pytest -n auto --dist worksteal -rs tests/fleet
	FLEET_NIGHTS=$(or $(FLEET_NIGHTS),full) $(BIN)/pytest -n 0 -s -rs tests/fleet/nights/test_living.py

fleet-nights: $(DEVELOPING) ## nights of a fleet whose workers are killed and stopped; FLEET_NIGHTS=few for a short while
	$(BIN)/python -m tests.fleet.postgres install
	FLEET_NIGHTS=$(or $(FLEET_NIGHTS),full) $(BIN)/pytest -n 0 -s -rs tests/fleet/nights/test_living.py

# Bytecode is compiled at the first start, as compiling it here takes as long as the rest.
$(GLANCE)/.ready: requirements/glance.txt
	$(PYTHON) -m venv --clear $(GLANCE)
	$(GLANCE)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/glance.txt || \
	  { echo 'Glance and Keystone could not be installed into $(GLANCE), so nothing was tested' >&2; exit 1; }
	@touch $@

nights: $(DEVELOPING) ## a hundred nights of faults and crashes on simulated time, over SEEDS seeds (500)
	$(BIN)/python -m tests.nights --seeds $(or $(SEEDS),500) --jobs "$$(nproc 2>/dev/null || echo 1)"

walks: $(DEVELOPING) ## random walks side by side through lists that change meanwhile, WALKS of them (1000000)
	$(BIN)/python -m tests.cloud.walks --walks $(or $(WALKS),1000000)

guard: $(DEVELOPING) ## compare calls and memory of a run of 5,000 images with those recorded in benchmarks/guard.json
	$(BIN)/python -m benchmarks.guard

bench: $(DEVELOPING) ## figures, median and spread of five rounds; one case: CASE=cpu-100k, a list of them: CASE=help
	$(BIN)/python -m benchmarks $(CASE) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-glance: $(DEVELOPING) $(GLANCE)/.ready .venv-custodian/.ready .venv-openstackclient/.ready ## the same on a real Glance, compared with similar tools
	$(BIN)/python -m benchmarks.rivals

bench-fleet: $(DEVELOPING) ## workers of a fleet side by side, and what 10,000 accounts take; needs a PostgreSQL
	$(BIN)/python -m benchmarks.fleet

.venv-custodian/.ready .venv-openstackclient/.ready: .venv-%/.ready: requirements/%.txt
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@touch $@

COMPILE = $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links

lock: ## refresh the locks in requirements/: dev.txt, within it runtime.txt and build.txt for the container, and glance.txt
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(COMPILE) --upgrade --extra fleet --extra openstack --extra socks pyproject.toml requirements/dev.in -o requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt --extra fleet --extra openstack --extra socks pyproject.toml -o requirements/runtime.txt
	$(COMPILE) --constraint requirements/dev.txt requirements/build.in -o requirements/build.txt
	for apart in glance custodian openstackclient postgres; do $(COMPILE) --upgrade requirements/$$apart.in -o requirements/$$apart.txt; done
	rm -rf $(VENV)-lock

clean: ## remove everything that make created
	rm -rf $(VENV) $(GLANCE) .venv-custodian .venv-openstackclient .venv-postgres .mypy_cache .ruff_cache .pytest_cache .hypothesis
