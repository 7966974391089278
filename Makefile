# Everything from a clean clone: `make demo` or `make test`. It takes Node 20 or later, npm, python3 with pip, make
# and g++. What is up to date is left alone: a second run downloads and builds nothing.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

SOURCES := $(shell find src test bench -name '*.ts')
# npm writes this file at the end of an install.
MODULES := node_modules/.package-lock.json
TAP := .tap/built

.PHONY: help demo test unit lint format build engine setup man settings snapshots clean

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## prepare data, train a small model and evaluate it, all in a few minutes
	node scripts/demo.mjs

test: setup $(TAP) ## run all tests; only those whose path contains WORD with make test ONLY=WORD
	@node dist/test/run.js $(ONLY)

unit: build $(TAP) ## run the tests that need no TensorFlow, in a minute or two
	@node dist/test/run.js --unit

lint: $(MODULES) ## check format, imports and lint rules
	node_modules/.bin/biome ci --error-on-warnings .

format: $(MODULES) ## bring all files into the format, sort imports
	node_modules/.bin/biome check --write .

build: dist/.built ## compile to dist

engine: build ## put TensorFlow in place (taken from the cache, the local Python, or pip)
	@node bin/bigbigan.js engine install

setup: build engine

man: build ## write the man pages anew from the help texts
	node dist/src/man.js man

settings: build ## write docs/settings.md anew from the table of settings
	node scripts/settings.mjs

snapshots: man $(TAP) ## accept the help texts as they are now, in the tests and in the man pages
	BIGBIGAN_SNAPSHOTS=update node dist/test/run.js commands/help

clean: ## remove what was built; the installed packages and the cache stay
	rm -rf dist .tap

$(MODULES): package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

dist/.built: $(MODULES) tsconfig.json $(SOURCES)
	node_modules/.bin/tsc -p .
	@touch $@

# tap assembles itself from the plugins that .taprc names.
$(TAP): $(MODULES) .taprc
	node_modules/.bin/tap build
	@touch $@
