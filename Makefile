# Everything a developer runs. Needs Python 3.11 or newer, git and make; installs the rest into .venv.

VENV   := .venv
PYTHON := $(VENV)/bin/python
TOCSIN := $(VENV)/bin/tocsin
PIP    := $(PYTHON) -m pip --disable-pip-version-check --no-input --quiet --quiet
ARGS   ?=

# On a terminal the program becomes the foreground job of its own, so that Ctrl-C reaches it alone
# and make ends with the program's exit code. Without a terminal it takes the shell's place.
foreground = @if [ -t 0 ]; then set -m; $(1); exit $$?; else exec $(1); fi

.DEFAULT_GOAL := help
.PHONY: help demo serve test long chaos check fix bench lock architecture solution clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | sort \
		| while IFS="$$(printf '\t')" read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.runtime ## play one incident from the simulated Sentinel to closed (ARGS=--once ends after it)
	$(call foreground,$(TOCSIN) demo $(ARGS))

serve: $(VENV)/.runtime ## run Tocsin with its private PostgreSQL
	$(call foreground,$(TOCSIN) serve $(ARGS))

test: $(VENV)/.dev ## run the tests, in parallel (ARGS='-k name' picks some)
	@$(PYTHON) -m pytest --numprocesses auto --dist loadgroup $(ARGS)

long: $(VENV)/.dev ## run the tests that take minutes (EXAMPLES=1000 nights), then chaos
	@$(PYTHON) -m pytest -m long $(ARGS)
	@$(PYTHON) -m tests.crash.chaos --kills 500

chaos: $(VENV)/.dev ## kill, pause and cut off processes under load (ARGS='--kills 500 --seed 7')
	@$(PYTHON) -m tests.crash.chaos $(ARGS)

check: $(VENV)/.dev ## formatter, linter, contracts of the house, types
	@echo "check: ruff format" && $(PYTHON) -m ruff format --check .
	@echo "check: ruff" && $(PYTHON) -m ruff check --quiet .
	@echo "check: lint-imports" && $(VENV)/bin/lint-imports --no-logo
	@echo "check: mypy" && $(PYTHON) -m mypy
	@echo "check: pyright" && $(VENV)/bin/pyright

fix: $(VENV)/.dev ## format, and repair what the linter can
	@$(PYTHON) -m ruff check --quiet --fix . ; $(PYTHON) -m ruff format .

bench: $(VENV)/.dev ## measure, and print the figures as ratios
	@$(PYTHON) -m bench $(ARGS)

lock: $(VENV)/.dev ## write the two lock files anew
	@.ci/lock

architecture: $(VENV)/.dev ## write the module table of docs/architecture.md anew from the docstrings
	@$(PYTHON) -m tests.house

solution: $(VENV)/.runtime ## build the Microsoft Sentinel solution into build/ (ARGS='--table NAME_CL')
	@$(PYTHON) -m deploy.solution $(ARGS)

clean: ## remove the environment and the caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps: an environment is installed once, and again when a lock or the project file changes.
# The development lock holds the runtime lock, so it satisfies both.

$(VENV)/.runtime: requirements.lock pyproject.toml | $(PYTHON)
	@echo "installing what Tocsin needs (about a minute the first time) ..."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(PYTHON)
	@echo "installing what the tests and checks need (a minute or two the first time) ..."
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.runtime

$(PYTHON):
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "Tocsin needs Python 3.11 or newer; none was found on the PATH." >&2; exit 1; fi; \
	echo "making $(VENV) with $$("$$found" --version) ..."; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "This Python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
