# Molnvakt. Each target says what it does: make help
SHELL := /bin/bash
.DEFAULT_GOAL := help
GOFLAGS ?= -mod=readonly
export GOFLAGS += -tags=nodynamic # HEIC: never a libheif of the machine
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD := go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/molnvakt
	$(BUILD) -o bin/molnvakt ./cmd/molnvakt

.PHONY: demo
demo: build ## build and run the main job on an invented municipality; reports in demo/
	@bin/molnvakt demo --reports demo; code=$$?; [ $$code -eq 1 ] && exit 0 || exit $$code

.PHONY: tools
tools: ## install what the tests need (Debian packages; needs root or sudo)
	@scripts/install-test-packages

.PHONY: test
test: tools ## install what the tests need and run them all
	@scripts/test

.PHONY: check
check: ## formatting, vet, staticcheck and golangci-lint
	@scripts/check

.PHONY: bench
bench: build ## measure speed and memory; docs/bench says what was found
	@scripts/bench

.PHONY: accuracy
accuracy: ## precision and recall on the labelled corpus
	MOLNVAKT_ACCURACY=report go test ./patterns/accuracy -count=1 -v -run 'TestAccuracy|TestUnseen'

.PHONY: gist
gist: ## learn the gist from the labelled corpus anew
	go run ./patterns/accuracy/train

.PHONY: fuzz
fuzz: ## fuzz every own reader for FUZZTIME (default 1m) each
	@scripts/fuzz $(or $(FUZZTIME),1m)

.PHONY: clean
clean: ## remove what the build and the demo made
	rm -rf bin demo
