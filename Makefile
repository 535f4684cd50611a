# Two commands for a newcomer: `make run` watches a small mail world, `make test` proves the tree.
# Both do their own set-up: a virtual environment from the hashes in uv.lock, and system packages.
SHELL := /bin/bash
VENV := .venv
EXIM := exim4-daemon-light libidn12 libnss-wrapper libgnutls-dane0 libunbound8 libevent-2.1-7
# command:package, of the servers that the tests start
SERVERS := openssl:openssl postfix:postfix dovecot:dovecot-core /usr/lib/dovecot/imap:dovecot-imapd \
	/usr/lib/dovecot/lmtp:dovecot-lmtpd ip:iproute2 unbound:unbound \
	knotd:knot kzonesign:knot-dnssecutils promtool:prometheus chromium:chromium \
	faketime:faketime prometheus-alertmanager:prometheus-alertmanager jsonnet:jsonnet
BIN := $(VENV)/bin
UV := $(BIN)/uv
CONFIG ?= config.example.yaml
WORKERS ?= 3
# These run traced, and all others untraced, which is twice as fast.
TRACED := tests/domain tests/probes tests/test_gallery.py
PROOF := $(VENV)/proof.json

# No start compiles what another has compiled; and a checkout stays clean.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt type all unit integration domain coverage generate bench lock clean \
	image-test dashboards-preview

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' Makefile

run: $(VENV)/run.stamp ## watch the embedded mail world: no account, no internet, page on http://127.0.0.1:16245/
	@exec $(BIN)/mailflow-agent run --lab --config $(CONFIG)

test: $(VENV)/dev.stamp ## everything that CI runs
	@$(MAKE) --no-print-directory -j2 lint type
	@$(MAKE) --no-print-directory all image-test

lint: $(VENV)/dev.stamp ## style, import contracts, generated files
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports
	$(BIN)/mailflow-agent generate --check

fmt: $(VENV)/dev.stamp ## format, and mend what can be mended
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

type: $(VENV)/dev.stamp ## mypy --strict
	$(BIN)/mypy

all: domain ## all tests, each once
	@.ci/packages $(SERVERS)
	@.ci/unpacked $(VENV)/debian $(EXIM)
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --durations=15 \
		$(TRACED:%=--ignore=%) --proof-from=$(PROOF)

unit: $(VENV)/dev.stamp ## tests without servers of others
	$(BIN)/pytest -q -n $(WORKERS) -m 'not integration'

integration: $(VENV)/dev.stamp ## tests with OpenSSL, Postfix, Exim, Dovecot, unbound, Knot, Prometheus and Chromium
	@.ci/packages $(SERVERS)
	@.ci/unpacked $(VENV)/debian $(EXIM)
	$(BIN)/pytest -q -n $(WORKERS) -m integration

domain: $(VENV)/dev.stamp ## every branch of the domain is taken by its tests and those of the probes
	$(BIN)/pytest -q -n 2 $(TRACED) --cov=agent/domain --cov-report= --proof-into=$(PROOF)
	$(BIN)/coverage report --include='agent/domain/*' --skip-covered --fail-under=100

coverage: $(VENV)/dev.stamp ## all tests, traced, which takes twice as long
	@.ci/packages $(SERVERS)
	@.ci/unpacked $(VENV)/debian $(EXIM)
	$(BIN)/pytest -q -n 2 --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --skip-covered --fail-under=95

image-test: $(VENV)/dev.stamp ## build the image on a stand-in for its base, and run it locked down; needs root
	@.ci/image-test $(VENV)

generate: $(VENV)/dev.stamp ## render everything that derives from declarations
	$(BIN)/mailflow-agent generate

bench: $(VENV)/dev.stamp ## side by side with the peers; one script each: bench/README.md
	@.ci/packages unbound:unbound
	@set -e; for script in bench/p*.py; do echo "== $$script"; $(BIN)/python $$script; done

dashboards-preview: $(VENV)/dev.stamp ## pictures of the dashboards by Grafana's libraries; needs npm, 700 MB
	@PYTHONPATH=.:tests $(BIN)/python grafana/preview/preview.py $(PREVIEW)

lock: $(VENV)/uv.stamp ## renew uv.lock; the lock names no index, so that any mirror serves it
	rm -f uv.lock && $(UV) lock --quiet && .ci/neutral-lock uv.lock

clean: ## remove what set-up made
	rm -rf $(VENV) build state .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/uv.stamp:
	@.ci/venv $(VENV) && touch $@

$(VENV)/run.stamp: $(VENV)/uv.stamp uv.lock pyproject.toml
	@.ci/install $(VENV) --no-dev && touch $@

$(VENV)/dev.stamp: $(VENV)/uv.stamp uv.lock pyproject.toml
	@.ci/install $(VENV) --all-groups && touch $@ $(VENV)/run.stamp
