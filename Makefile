# `make train` and `make test` do all of the set-up; running them again reuses it.
#
#   make train          train Breakout with the dashboard (ENV=pong/lstm and others: skipjack list)
#   make test           lint, types and every test
#   make soak           fifty kills of a training run
#   make sanitize       ten million random actions of every game on a build that watches addresses
#                       (GAMES="moba moba/small" STEPS=100_000_000: ten million ticks and more of these)
#   make clean          remove the environment and everything that was built

PYTHON ?= python3
VENV ?= .venv
ENV ?= breakout
STEPS ?= 10_000_000
GAMES ?=
BIN := $(VENV)/bin
SOURCES := setup.py pyproject.toml constraints.txt $(shell find skipjack -name '*.pyx' -o -name '*.pxd' -o -name '*.hpp')

# All instructions of this machine: what is built here stays here.
export SKIPJACK_NATIVE ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: train test soak sanitize check clean

train: $(VENV)/.installed
	$(BIN)/skipjack train $(ENV) $(ARGS)

# Where all that these tests need is there, one that skips for want of it is a failure.
test: $(VENV)/.installed-dev
	@if .ci/screens; then export SKIPJACK_MUST_SEE=1; fi; \
	PATH="$(abspath $(BIN)):$$PATH" ./check all

check: $(VENV)/.installed-dev
	PATH="$(abspath $(BIN)):$$PATH" ./check

soak: $(VENV)/.installed-dev
	SKIPJACK_KILLS=50 $(BIN)/python -m pytest tests/run/test_resume.py -k kill

sanitize: $(VENV)/.installed-dev
	.ci/sanitize "$(abspath $(BIN))/python" --steps $(STEPS) $(GAMES)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Skipjack needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another one: make train PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv"; exit 2; }

$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(BIN)/pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python $(SOURCES)
	$(BIN)/pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info
	find skipjack \( -name '*.so' -o -name '*.c' -o -name '*.cpp' \) -delete
