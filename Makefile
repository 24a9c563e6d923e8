# `make demo` and `make test` need Python 3.11 or newer and nothing else: what they install goes into .venv.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
VENV_2 := .venv-airflow-2
PY_2 := $(VENV_2)/bin/python
INSTALLED := $(VENV)/.installed
UV := .matrix/uv/bin/uv
# How many processes share the tests. They start in half the time with compiled tests.
WORKERS := 2
PYTEST = PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n $(WORKERS)
# The tests of queries that need a database server.
QUERIES := tests/sources/test_query_faults.py tests/sources/test_sql_clients.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-long test-postgres test-mysql test-ui test-airflow-2 test-matrix lint types tests bench format ui ui-check schemas data clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s  %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## Run the example DAGs in a real Airflow against the sandbox, and show the reports
	@$(PY) scripts/demo.py

test: lint types tests ## Check style and types, and run the tests (about seven minutes on two cores)

lint: $(INSTALLED) ## Check style
	@echo "Checking style…"
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check

types: $(INSTALLED) ## Check types
	@echo "Checking types (ten seconds, the first time)…"
	@$(PY) -m mypy

tests: $(INSTALLED) ## Run the tests alone
	@echo "Running the tests…"
	@$(PYTEST)

test-long: $(INSTALLED) ## Run what takes minutes: deliveries that are killed dozens of times, and many more examples
	@echo "Running the long tests…"
	@$(PYTEST) -m long

bench: $(INSTALLED) ## Measure it beside what people use (half an hour); ONLY="gerosense rejects" or QUICK=1 for less
	@$(PY) -m benchmarks $(if $(QUICK),--quick) $(ONLY)

test-postgres: $(INSTALLED) ## Run the ledger's and queries' tests on a PostgreSQL of their own (installs the server on Debian)
	@echo "Running the ledger's and queries' tests on PostgreSQL…"
	@$(PY) -m scripts.postgres $(PY) -m pytest -m "" tests/ledger tests/delivery/incremental \
		tests/delivery/resuming/test_kill_incremental.py tests/airflow/test_ledger_settings.py \
		tests/airflow/test_sql_source.py $(QUERIES)

test-mysql: $(INSTALLED) ## Run the queries' tests on a MariaDB of their own (installs the server on Debian)
	@echo "Running the queries' tests on MariaDB…"
	@$(PY) -m scripts.mariadb $(PY) -m pytest -m "" $(QUERIES)

test-ui: $(INSTALLED) ui-check ## Look at Airflow's pages with a real browser (installs it on Debian); pictures go to .screenshots
	@$(PY) -m scripts.chromium
	@echo "Running the browser's tests (they start a whole Airflow)…"
	@$(PY) -m pytest -m browser tests/ui

test-airflow-2: $(VENV_2)/.installed ## Run the ledger's and the operators' tests on Airflow 2.11, in a virtual environment of its own
	@echo "Running the tests on Airflow 2.11…"
	@$(PY_2) -m pytest tests/ledger tests/delivery/incremental tests/airflow --ignore tests/airflow/processes

test-matrix: $(UV) ## Run a small suite on Airflow 2.11 to 3.3, each with its newest, release-day and lowest packages; ONLY="3.1 2.11:lowest" for less
	@echo "Running the small suite on every Airflow (half a minute to two a cell)…"
	@nice $(PYTHON) scripts/matrix.py $(ONLY)

format: $(INSTALLED) ## Put the code into its form
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

ui: ## Build the page's bundle anew, from ui/ (needs Node 20.19 or newer)
	@$(PYTHON) scripts/ui.py

ui-check: ## Check that the committed bundle is what ui/ makes, byte for byte (needs Node 20.19 or newer)
	@$(PYTHON) scripts/ui.py --check

schemas: $(INSTALLED) ## Write the JSON Schemas anew, from the vendors' declarations, and the rules' texts, from docs/rules.md
	@$(PY) -m airflow_provider_userdata.schemas
	@$(PY) -m scripts.make_rules

data: $(INSTALLED) ## Write the example DAGs' data files anew
	@$(PY) scripts/make_example_data.py

clean: ## Remove all that is not the project's own: .venv, .demo, caches, builds
	@rm -rf $(VENV) $(VENV_2) .bench .matrix .demo .airflow .hypothesis .mypy_cache .pytest_cache .ruff_cache .screenshots build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and \`$(PYTHON)\` is $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one, such as: make demo PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in $(VENV) (a few seconds)…"
	@# Anew, not on top: what pyproject.toml asks for no longer would stay, and change what mypy says.
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Python's venv module is needed; Debian and Ubuntu have it in the package python3-venv."; exit 1; }
	@echo "Installing Airflow 3.3, this provider and what the tests need into $(VENV) (about a minute, the first time only)…"
	@$(PY) -m pip install -qq --disable-pip-version-check --no-compile --constraint constraints.txt setuptools
	@$(PY) -m pip install -qq --disable-pip-version-check --no-compile --constraint constraints.txt \
		--no-build-isolation --editable '.[dev]'
	@# Airflow starts in half the time, also where PYTHONDONTWRITEBYTECODE keeps Python from doing this by itself.
	@echo "Compiling what was installed (a few seconds)…"
	@$(PY) -m compileall -q -j 0 $(VENV)/lib || true
	@touch $@

$(VENV_2)/.installed: pyproject.toml setup.cfg constraints-airflow-2.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || { \
		echo "Airflow 2.11 needs Python 3.11 or 3.12, and \`$(PYTHON)\` is $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one, such as: make test-airflow-2 PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV_2)
	@echo "Installing Airflow 2.11, this provider and what the tests need into $(VENV_2) (about a minute, the first time only)…"
	@$(PY_2) -m pip install -qq --disable-pip-version-check --constraint constraints-airflow-2.txt setuptools
	@$(PY_2) -m pip install -qq --disable-pip-version-check --constraint constraints-airflow-2.txt \
		--no-build-isolation --editable . apache-airflow-providers-postgres apache-airflow-providers-sqlite \
		psycopg2-binary hypothesis openpyxl pytest flask-cors 'moto[s3]' s3fs statsd
	@touch $@

$(UV): constraints.txt
	@$(PYTHON) -m venv --clear .matrix/uv
	@.matrix/uv/bin/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt uv
	@touch $@
