# Keel: `make` alone lists the targets. Works with GNU make 3.81 (macOS) and later.

VENV := .venv
BIN  := $(VENV)/bin
# Which Pythons to try, in this order; `make setup PYTHON=/path/to/python3.13` names one.
PYTHONS = $(if $(PYTHON),"$(PYTHON)",python3.12 python3.13 python3.14 python3 python)
# Arguments for pytest: make test PYTEST_ARGS="tests/strategies -k stop"
PYTEST_ARGS ?=
# One more than there are cores: many tests wait for a process of theirs.
PYTEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)
# Arguments for the soak: make soak SOAK_ARGS="kills=20 only=faults", or SOAK_ARGS="alpaca minutes=30"
SOAK_ARGS ?=
# Arguments for the lock: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=

.PHONY: help setup run test test-slow test-all check bench soak shell lock clean
.NOTPARALLEL:

# An environment that was moved here, or whose Python is gone, is made anew.
ifneq ($(shell cat $(VENV)/.python 2>/dev/null && $(BIN)/python -c "" 2>&1),$(CURDIR))
.PHONY: $(VENV)/.python
endif

help:
	@echo "make run        set up, then the default strategy: a backtest, and the same in a live node on replayed data"
	@echo "make test       set up, then lint, types and the everyday tests (about ten minutes on two cores)"
	@echo "make test-slow  the rest: every command of the docs, kills, faults at length, rehearsals, clusters, notebooks"
	@echo "make test-all   make test and make test-slow, which is what a change has to pass"
	@echo "make setup      only the environment: $(VENV) from requirements.lock, every file checked by its hash"
	@echo "make shell      a shell with the environment activated"
	@echo "make check      lint and types only"
	@echo "make bench      Keel beside the bare engine on bars and quotes, time of a decision, from breach to last cancel"
	@echo "make soak       a live node killed two hundred times on a local paper account, and what was lost (about an hour)"
	@echo "make lock       write requirements.lock anew from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)"
	@echo "make clean      remove the environment and the caches; results of runs stay"

setup: $(VENV)/.ready

run: setup
	@echo "1/2  Backtest on the shipped data: python -m backtests run"
	@$(BIN)/python -m backtests run
	@echo
	@echo "2/2  Next, the same strategy in a live node on the replay venue (no keys, no network): python -m live run"
	@$(BIN)/python -m live run

test: check
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not slow" $(PYTEST_ARGS)

test-slow: setup
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m slow $(PYTEST_ARGS)

test-all: test test-slow

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m bench

soak: setup
	$(BIN)/python -m soak $(SOAK_ARGS)

# bash reads its own start-up file after ours would be set, so it is given one that activates last.
shell: setup
	@echo "The environment is active in this shell; leave it with exit."
	@case "$$SHELL" in \
	*/bash) echo '[ -f ~/.bashrc ] && . ~/.bashrc; . "$(CURDIR)/$(BIN)/activate"' > $(VENV)/.bashrc; \
		exec "$$SHELL" --rcfile $(VENV)/.bashrc -i;; \
	*)	. $(BIN)/activate; exec "$${SHELL:-/bin/sh}" -i;; \
	esac

# --universal: one lock for every Python from 3.12 on, Linux and macOS.
lock: $(VENV)/.tools
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
		$(LOCK_ARGS) --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. Each stamp is written last, so an interrupted set-up is simply done again.
$(VENV)/.ready: $(VENV)/.tools requirements.lock pyproject.toml
	@$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-build-isolation --compile-bytecode \
		--quiet --requirements requirements.lock
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --offline --quiet --editable .
	@touch $@
	@echo "The environment is ready in $(VENV): make shell activates it."

# pip brings uv, and setuptools for the one dependency that has no wheel; both as the lock has them.
$(VENV)/.tools: $(VENV)/.python requirements.lock
	@awk '/^(setuptools|uv)==/ { wanted = 1 } wanted { print } !/\\$$/ { wanted = 0 }' \
		requirements.lock > $(VENV)/tools.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
		--requirement $(VENV)/tools.txt
	@touch $@

# Each candidate is run, not only found: a version manager's shim may stand there for a Python that is not installed.
$(VENV)/.python:
	@found=; \
	for candidate in $(PYTHONS); do \
		about=`"$$candidate" -c 'import sys; print("%d.%d.%d %s" % (sys.version_info[:3] \
			+ (getattr(sys, "_base_executable", None) or sys.executable,)))' 2>/dev/null` || continue; \
		version=$${about%% *}; path=$${about#* }; found="$${found:-Python $$version at $$path}"; \
		"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || continue; \
		if ! "$$path" -c 'import ensurepip, venv' 2>/dev/null; then \
			found="Python $$version at $$path without its venv module (Debian: apt install python3-venv)"; \
			continue; \
		fi; \
		echo "Setting up $(VENV) with Python $$version at $$path"; \
		"$$path" -m venv --clear $(VENV) && echo "$(CURDIR)" > $@; \
		exit; \
	done; \
	echo "Keel needs Python 3.12 or newer; found $${found:-no Python that runs}." \
		"Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; \
	exit 2
