# Needs Python 3.11 and make; everything else is installed into .venv, from the locked requirements.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SERVER := $(VENV)/.server
DEV    := $(VENV)/.dev
FUZZ   := $(VENV)/.fuzz
HORIZON := .venv-horizon

NEW_ENOUGH := $(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; PYTHON=... names one.")'

.DEFAULT_GOAL := help
.PHONY: help run test test-evidence test-browser test-services test-openstack test-keylime test-horizon test-wheel lint bench fuzz lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

run: $(SERVER) ## the whole product with a simulated fleet, on http://127.0.0.1:8000 (TXT_PORT)
	@$(BIN)/python manage.py run

test: $(DEV) ## everything that needs Python only
	$(BIN)/pytest -n 2 -m "not browser and not services and not wheel and not shared and not openstack and not keylime and not horizon" tests

test-evidence: $(DEV) ## real event logs and quotes, and attacks on them (TXT_SHARED_DATA)
	$(BIN)/pytest -n 2 -m shared tests

test-browser: $(DEV) ## Selenium and Chromium against the running product
	$(BIN)/pytest -m browser tests/e2e

test-services: $(DEV) ## PostgreSQL, RabbitMQ and Redis, for real
	$(BIN)/pytest -m services tests

test-openstack: $(DEV) ## a real OpenStack: Keystone, Nova and Placement with five compute hosts
	$(BIN)/pytest -m openstack --durations 10 tests/openstack

test-keylime: $(DEV) ## a real Keylime: registrar, verifier, and agents with software TPMs
	$(BIN)/pytest -m keylime --durations 10 tests/keylime

test-horizon: $(HORIZON)/.installed $(DEV) ## the panels in Horizon: two Djangos, both themes, and people in a real one
	$(HORIZON)/bin/python -m pytest -c tests/horizon/pytest.ini tests/horizon/unit
	PYTHONPATH=$(HORIZON)/django-4.2 $(HORIZON)/bin/python -m pytest -c tests/horizon/pytest.ini tests/horizon/unit
	$(HORIZON)/bin/python -m pytest -c tests/horizon/pytest.ini tests/horizon/themes
	$(BIN)/pytest -c pyproject.toml -m horizon --durations 10 tests/horizon/e2e

test-wheel: $(DEV) ## the wheel, in a clean virtual environment
	$(BIN)/pytest -m wheel tests

lint: $(DEV) ## style, types, the dependency rule, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(DEV) ## measured against a limit in the same run
	@$(BIN)/python -m tests.bench
	@test ! -e $(HORIZON)/.installed || $(HORIZON)/bin/python -m pytest -c tests/horizon/pytest.ini -s \
	  --ds tests.horizon.bench.settings tests/horizon/bench

fuzz: $(FUZZ) ## every parser against a coverage-guided fuzzer, FUZZ_SECONDS in all (600)
	@$(BIN)/python -m tests.fuzz $(or $(FUZZ_SECONDS),600)

lock: ## writes requirements/*.txt anew from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
	  --custom-compile-command "make lock" --all-extras --group dev -o requirements/dev.txt pyproject.toml
	$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --extra server -c requirements/dev.txt -o requirements/server.txt pyproject.toml
	$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt

clean: ## removes the virtual environment, keeps the data
	rm -rf $(VENV) $(HORIZON) .venv-keylime .fuzz dist

$(SERVER): requirements/server.txt
	@$(NEW_ENOUGH)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing $< into $(VENV)."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(DEV): requirements/dev.txt
	@$(NEW_ENOUGH)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing $< into $(VENV)."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(FUZZ): requirements/fuzz.txt $(DEV)
	@echo "Installing $< into $(VENV)."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(HORIZON)/.installed: requirements/horizon.txt requirements/horizon-django-4.2.txt
	@$(NEW_ENOUGH)
	@test -x $(HORIZON)/bin/python || $(PYTHON) -m venv $(HORIZON)
	@echo "Installing $^ into $(HORIZON)."
	@$(HORIZON)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/horizon.txt
	@rm -rf $(HORIZON)/django-4.2
	@$(HORIZON)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --target $(HORIZON)/django-4.2 -r requirements/horizon-django-4.2.txt
	@touch $@
