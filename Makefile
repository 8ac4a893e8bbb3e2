# mmrobot's commands. `make` alone lists them. Every target may be run again at any time.

# The first of these that is a Python 3.11 or 3.12; or name one: make setup PYTHON=/path/to/python
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$p && break; done)
endif
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
NO_TEST_CHOSEN := 5
# Six processes on two cores, against limits in real time: one that fails while another program takes the
# cores is tried again, and the report says so (R). What is wrong fails three times.
AGAIN := --reruns 2 --reruns-delay 5
# For tests that no clock rules.
ALL_CORES := --numprocesses auto --maxprocesses 8

# A sourced ROS, or another environment's variables, would mix two installations in one process.
unexport PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH VIRTUAL_ENV
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test lint unit offline without-clock test-grounds integration gazebo launch-tests browser colcon end-to-end recording eval train constraints clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install everything into .venv (minutes the first time, then at once)
	@$(call with_python,scripts/setup_environment.py)

setup-dev:  ## setup, and what the tests need
	@$(call with_python,scripts/setup_environment.py --dev)

demo: setup  ## see it work: words to a plan to a moving arm; ARGS='"put the red cube in the blue bowl"'
	$(BIN)/mmrobot demo $(ARGS)

test:  ## every check, quick ones first
	@$(MAKE) --no-print-directory setup-dev
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory --jobs 2 without-clock test-grounds
	@$(MAKE) --no-print-directory integration
	@$(MAKE) --no-print-directory launch-tests
	@$(MAKE) --no-print-directory browser
	@$(MAKE) --no-print-directory gazebo
	@$(MAKE) --no-print-directory end-to-end
	@echo "==> all tests passed"

lint:  ## style and types
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@echo "==> mypy"
	@$(BIN)/python -m mypy

unit:  ## quick tests
	@echo "==> unit tests"
	@$(PYTEST) tests/unit $(ALL_CORES) -m "not slow and not gpu and not gazebo"

offline:  ## tests of the real simulator and the real model without a ROS graph: no clock runs
	@echo "==> slow unit tests"
	@$(PYTEST) tests/unit $(ALL_CORES) -m slow
	@echo "==> simulator and model"
	@$(PYTEST) tests/offline $(ALL_CORES)

without-clock:  ## all that may share the cores with other work
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory colcon
	@$(MAKE) --no-print-directory offline

# What stands by the clock needs the cores for itself; this is built meanwhile. Should it fail, the tests that
# stand on it try again and say why.
test-grounds:
	@mkdir -p build
	-@nice -n 19 $(BIN)/python -m tests.support.interfaces > build/test-interfaces.log 2>&1
	-@nice -n 19 $(BIN)/python tests/gazebo/install_gazebo.py > build/test-gazebo.log 2>&1

integration:  ## tests on the real ROS graph, which run by the clock
	@echo "==> integration tests"
	@$(call pytest_if_any,tests/integration tests/replay tests/gpu,$(AGAIN))

gazebo:  ## the same world and an episode in a true Gazebo 11 (set up in .gazebo the first time: 2 GB, 3 minutes)
	@echo "==> Gazebo tests"
	@$(PYTEST) tests/gazebo $(AGAIN)

browser:  ## the console in a real Chromium over the real graph, scanned by axe-core too
	@echo "==> browser tests"
	@$(PYTEST) tests/browser $(AGAIN)

launch-tests:  ## tests of the launch files
	@echo "==> launch tests"
	@$(call pytest_if_any,tests/launch)

colcon:  ## build both packages with colcon in a temporary folder and look at what was installed
	@echo "==> colcon build of mmrobot and mmrobot_msgs"
	@$(BIN)/python scripts/check_colcon_build.py

end-to-end:  ## one sentence carried out, judged by physics
	@echo "==> end to end"
	$(BIN)/mmrobot demo --headless --json

recording: setup-dev  ## record the console anew: docs/images/console.webp
	$(BIN)/python scripts/record_console.py $(ARGS)

eval:  ## the task suite; ARGS="--families pick --episodes 20"
	$(BIN)/mmrobot eval $(ARGS)

train:  ## train the shipped model anew (long); ARGS=--help
	$(BIN)/python -m mmrobot.learn.train $(ARGS)

constraints:  ## pin what .venv holds in constraints.txt
	$(BIN)/python scripts/freeze_constraints.py

clean:  ## remove .venv and everything that was built
	rm -rf .venv .gazebo .setup.lock build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

define with_python
if [ -z "$(PYTHON)" ]; then \
	echo "set-up failed: no Python 3.11 or 3.12 found." >&2; \
	echo "fix: sudo apt-get install python3 python3-venv python3-dev (Debian 12, Ubuntu 24.04)," >&2; \
	echo "     or name one: make $@ PYTHON=/path/to/python3.12" >&2; exit 1; fi; \
"$(PYTHON)" $(1)
endef

# Folders without a test yet are left out; a folder whose tests were all deselected is no failure.
define pytest_if_any
folders=""; for f in $(1); do [ -n "$$(find $$f -name 'test_*.py' 2>/dev/null)" ] && folders="$$folders $$f"; done; \
if [ -z "$$folders" ]; then echo "    none"; else $(PYTEST) $(2) $$folders || [ $$? -eq $(NO_TEST_CHOSEN) ]; fi
endef
