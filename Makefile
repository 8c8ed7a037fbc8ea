# make run      build what changed and start a demo class
# make test     every test; what the CI runs
# make help     all targets

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STAMPS := target/stamps
WEB := web-client
E2E := tests/e2e
WEB_SOURCES := $(shell find $(WEB) \( -name node_modules -o -name dist \) -prune -o -type f -print 2>/dev/null)

# The selection of the tests: another one would unify features differently and
# build half of the dependencies again.
DEBUG_BUILD := cargo build --workspace --bins --tests

.PHONY: help run build web test lint fmt unit e2e screenshots loadtest soak clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

run: build ## build what changed, start a demo class, print its links
	@scripts/run.sh

build: ## client and server: target/release/lophoc
	@scripts/packages.sh build
	@$(MAKE) web
	cargo build --release -p lophoc

web: $(STAMPS)/web ## the browser client: web-client/dist

# A folder's lock file decides what npm installs.
$(STAMPS)/npm-%: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

$(STAMPS)/npm-$(E2E): $(E2E)/package-lock.json
	npm --prefix $(E2E) ci --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

# The server embeds the client; its build script looks again when it is touched.
$(STAMPS)/web: $(STAMPS)/npm-$(WEB) $(WEB_SOURCES)
	npm --prefix $(WEB) run build
	npm --prefix $(WEB) run budget
	@touch src/server/build.rs
	@mkdir -p $(@D) && touch $@

test: ## everything the CI checks
	@scripts/packages.sh test
	@$(MAKE) web lint unit e2e

lint: $(STAMPS)/npm-$(WEB) ## format, clippy, types
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings
	npm --prefix $(WEB) run lint
	npm --prefix $(WEB) run check

unit: $(STAMPS)/npm-$(WEB) ## tests of server and client without browsers
	@if cargo nextest --version >/dev/null 2>&1; then \
	  echo cargo nextest run --workspace --no-fail-fast && cargo nextest run --workspace --no-fail-fast; \
	else \
	  echo cargo test --workspace --no-fail-fast && cargo test --workspace --no-fail-fast; \
	fi
	npm --prefix $(WEB) test

e2e: ## whole classes in Chromium
	@if [ -d $(E2E) ]; then $(MAKE) e2e-run; else echo "no $(E2E), nothing to do"; fi

.PHONY: e2e-run
e2e-run: web $(STAMPS)/npm-$(E2E)
	@scripts/packages.sh test
	$(DEBUG_BUILD)
	npm --prefix $(E2E) run check
	npm --prefix $(E2E) test

soak: ## recordings through twenty rounds of killed servers and recorders
	RECORDING_LOOPS=20 cargo test --workspace --test recording -- --nocapture

screenshots: web $(STAMPS)/npm-$(E2E) ## pictures for the readme and docs/SCREENS.md
	@scripts/packages.sh test
	$(DEBUG_BUILD)
	npm --prefix $(E2E) run screenshots

loadtest: ## a short lecture; for figures see docs/CAPACITY.md
	@scripts/packages.sh build
	cargo run --release -p loadtests -- lecture --learners 50 --seconds 20 --json

fmt: $(STAMPS)/npm-$(WEB) ## format everything
	cargo fmt --all
	npm --prefix $(WEB) run format

clean: ## remove what was built; ./data stays
	rm -rf target $(WEB)/dist $(WEB)/node_modules $(E2E)/node_modules test-results
