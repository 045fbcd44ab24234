# `make demo` and `make test` do all the set-up; both need Python 3.11 and make alone.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: demo test lint clean

demo: .stamps/app
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: .stamps/dev .stamps/chromium .stamps/nginx lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder  # else files of few, long tests come last, on one core

lint: .stamps/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy vaead_core
	$(BIN)/lint-imports

.stamps/venv:
	command -v $(PYTHON) >/dev/null && $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	mkdir -p .stamps && touch $@

.stamps/app: requirements-app.txt .stamps/venv
	$(BIN)/pip install --quiet -r requirements-app.txt
	touch $@

.stamps/dev: requirements-app.txt requirements.txt requirements-dev.txt requirements-strip.txt requirements-cluster.txt .stamps/venv
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

# The browser tests drive Debian's chromium; where it is missing and apt-get may be used, it is installed.
.stamps/chromium: .stamps/venv
	command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium)
	touch $@

# deploy/nginx.conf is tested with nginx itself, got in the same way.
.stamps/nginx: .stamps/venv
	command -v nginx >/dev/null || (apt-get update -qq && apt-get install -y -qq nginx-light openssl)
	touch $@

clean:
	rm -rf $(VENV) .stamps
