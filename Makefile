# Everything that people do with this project. `make` alone says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

export CGO_ENABLED := 0

TAGS    := nomsgpack
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//' | grep . || echo 0.1.0-dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null)
BUILT   ?= $(shell git show -s --format=%cI HEAD 2>/dev/null)
# Public keys of minisign, separated by commas: whose versions of the agent devices take.
AGENT_KEYS ?=
STAMP   := -X schulwart.org/policies/version.Version=$(VERSION) -X schulwart.org/policies/version.Commit=$(COMMIT) -X schulwart.org/policies/version.Built=$(BUILT) -X schulwart.org/policies/agentfile.Trusted=$(AGENT_KEYS)
BUILD   := go build -trimpath -ldflags "-s -w $(STAMP)" -tags
# The agent speaks HTTP/1.1 only: without the other protocol it is smaller.
AGENT_TAGS := $(TAGS),nethttpomithttp2
# Its functions are not copied into their callers either, but in the runtime and
# within the signatures of leases (Ed25519), where that is worth its weight; and they begin
# at any byte instead of every thirty-second.
AGENT_BUILD := go build -trimpath -gcflags=all=-l -gcflags=runtime/...= -gcflags=internal/runtime/...= -gcflags=crypto/internal/fips140/edwards25519/...= -ldflags "-s -w -funcalign=1 $(STAMP)" -tags $(AGENT_TAGS)

SYSTEMS := linux/amd64 linux/arm64 windows/amd64 darwin/arm64

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help bin demo test e2e bench lint gallery screenshot build generate agent-to agent-file deb postgres-test clean

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

bin: ## both programs for this machine, into bin/
	@$(BUILD) $(TAGS) -o bin/schulwart ./server
	@$(AGENT_BUILD) -o bin/schulwart-agent ./agent

demo: bin ## an authority with two schools and simulated devices; ARGS="--devices 120 --lan"
	@bin/schulwart demo $(ARGS)

test: ## every test that needs Go alone, and the laws of the house; the rest is skipped and named (-v)
	@go test -tags $(TAGS) -count=1 ./scripts
	@SCHULWART_GO_ALONE=1 go test -tags $(TAGS) $$(go list -tags $(TAGS) ./... | grep -v '/scripts$$')

e2e: bin ## the whole house: real server, real agent, namespaces, browsers (needs root; see .ci/run for the tools)
	@SCHULWART_REQUIRE_ALL=1 scripts/postgres.sh run go test -tags $(TAGS) -count=1 -p 1 -timeout 30m -v ./server/e2e/... ./scripts/rig/...

bench: bin ## figures for the budgets, with the machine they were measured on
	@go run -tags $(TAGS) ./scripts/bench $(ARGS)
	@go test -tags $(TAGS) -run none -bench Planning -benchtime 1x ./server/rollout -args -planned 60000

lint: ## format, vet, generated files, linters
	@test -z "$$(gofmt -l $$(git ls-files '*.go' | grep -v '_templ\.go$$') | tee /dev/stderr)"
	@go vet -tags $(TAGS) ./...
	@for system in $(SYSTEMS); do GOOS=$${system%/*} GOARCH=$${system#*/} go build -tags $(TAGS) -o /dev/null ./agent ./server; done
	@go test -tags $(TAGS) -count=1 -v -run 'TestLongFiles' ./scripts | grep lines || true
	@go run $(GOLANGCI_LINT) run --build-tags $(TAGS) ./...

gallery: ## every page from its sample, light and dark, at an address that is printed
	@go run -tags $(TAGS) ./web/gallery $(ARGS)

screenshot: bin ## draws scripts/screenshot/board.png anew from the demo
	@scripts/screenshot/take.sh

generate: ## pages from templ, the document of the program interface, golden files
	@go generate ./...

build: ## both programs for every system, stripped and stamped, into dist/
	@for system in $(SYSTEMS); do \
		os=$${system%/*} arch=$${system#*/} ending=; [ $$os = windows ] && ending=.exe; \
		export GOOS=$$os GOARCH=$$arch; \
		for name in schulwart schulwart-agent; do \
			out=dist/$$os-$$arch/$$name$$ending; \
			if [ $$name = schulwart ]; then $(BUILD) $(TAGS) -o $$out ./server; else $(AGENT_BUILD) -o $$out ./agent; fi; \
			ls -l $$out | awk '{printf "  %-42s %6.1f MB\n", $$NF, $$5/1e6}'; \
		done; \
	done

agent-to: # the agent for GOOS and GOARCH, into OUT
	@$(AGENT_BUILD) -o $(OUT) ./agent

agent-file: ## a signed version of the agent to roll out; FLOOR=0.1.0 EXPIRES=2027-06-30 KEY=minisign.key [ARCH=amd64]
	@VERSION="$(VERSION)" AGENT_KEYS="$(AGENT_KEYS)" scripts/package/agent-file.sh "$(FLOOR)" "$(EXPIRES)" "$(KEY)" $(ARCH)

deb: bin ## the Debian packages, into dist/
	@scripts/package/deb.sh "$(VERSION)"

postgres-test: ## the store's suite on a PostgreSQL of its own
	@scripts/postgres.sh run go test -tags $(TAGS) -count=1 ./server/store/...

clean: ## away with what was built
	@rm -rf bin dist
