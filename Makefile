# Parley. `make help` lists the targets.

VERSION   := $(shell sed -n 's/^Version = "\(.*\)"/\1/p' FyneApp.toml)
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULN      := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME  := 60s
CHAOSTIME := 10m
SOAKTIME  := 20m

# What Fyne is compiled with, and what the tests look at the result with.
BUILD_PACKAGES := gcc libc6-dev pkg-config libgl1-mesa-dev xorg-dev libwayland-dev libxkbcommon-dev
TEST_PACKAGES  := $(BUILD_PACKAGES) python3-websockets chromium nginx caddy haproxy postgresql patroni etcd-server etcd-client openssl pgbouncer xvfb xdotool openbox imagemagick x11-utils xclip \
	zbar-tools poppler-utils systemd strace dnsmasq-base curl iproute2 procps nftables avahi-daemon avahi-utils dbus \
	libgl1-mesa-dri default-jdk-headless enjarify libsmali-java fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji

NPM_PACKAGES := axe-core@4.14.1 ws@8.23.0

include client/android/android.mk

.DEFAULT_GOAL := help
.PHONY: help run cluster client test chaos lint vuln fuzz dist bench bench-cluster bench-quick bench-race soak bench-client bench-peers clean \
	check-go build-packages test-packages npm-packages node-packages daphne-packages

help: ## list the targets
	@echo "Parley $(VERSION). Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { \
		line = sprintf("  make %-16s", $$1); n = split($$2, words, " "); \
		for (i = 1; i <= n; i++) { \
			if (length(line " " words[i]) > 80) { print line; line = sprintf("%23s", "") } \
			line = line " " words[i] } \
		print line }' $(MAKEFILE_LIST)

run: check-go ## build and start the server; ARGS="--addr :9000" adds flags
	@go build -o bin/parley-server ./server
	@exec bin/parley-server $(ARGS)

cluster: check-go ## start several servers on one computer, with PostgreSQL, Patroni, etcd and HAProxy, to kill; on Linux
	$(call packages,postgresql patroni etcd-server haproxy curl openssl)
	CGO_ENABLED=0 go build -o bin/parley-server ./server
	@exec docs/cluster/run.sh bin/parley-server $(ARGS)

client: check-go build-packages ## build and start the desktop client (the first time takes minutes)
	go build -o bin/parley .
	@exec bin/parley

# Three packages at a time, since tests wait more than they work. More would be too much: several start a browser, a
# window, or a crowd.
test: check-go test-packages npm-packages ## run all checks: format, vet, tests with the race detector, the app for Android
	@test -z "$$(gofmt -l .)" || { echo "gofmt -w these:"; gofmt -l .; exit 1; }
	go vet ./...
	go build -race ./...
	go test -race -p 3 -timeout 30m ./...
	@$(MAKE) --no-print-directory $(TEST_APK)

chaos: check-go ## kill, starve and cut off one server, then several, CHAOSTIME each (10m), and look for what was lost; on Linux
	go test ./server/chaos -count 1 -v -run TestChaos -timeout 0 -chaos $(CHAOSTIME) -kills 100
	go test ./server/cluster -count 1 -v -run TestChaos -timeout 0 -chaos $(CHAOSTIME)

lint: check-go ## run golangci-lint with gosec, and govulncheck, pinned (the first time takes minutes)
	go run $(LINT) run ./...
	@$(FIND_VULN) || { [ $$? = 3 ] && exit 1; \
		echo "Nobody looked for known vulnerabilities: govulncheck needs its database, from the Internet or from VULNDB=DIR."; }

# VULNDB has what is in https://vuln.go.dev/vulndb.zip.
FIND_VULN = GOBIN="$(CURDIR)/bin" go install $(VULN) && bin/govulncheck $(if $(VULNDB),-db "file://$(abspath $(VULNDB))") ./...

vuln: check-go ## look for known vulnerabilities; VULNDB=DIR reads their database from a folder, offline
	@$(FIND_VULN)

fuzz: check-go ## fuzz every parser of the network, FUZZTIME each (60s by default)
	@for target in shared/FuzzDecode shared/FuzzName shared/FuzzLink client/session/FuzzReadAnnouncements \
		server/FuzzConfig server/FuzzArrivals server/mdns/FuzzPacket server/files/FuzzKind server/chat/FuzzPath server/chat/FuzzHello \
		server/chat/FuzzForm server/chat/FuzzForwarded server/chat/FuzzHost server/chat/FuzzRequest \
		server/chat/lookalike/FuzzOf; do \
		echo $$target; \
		go test ./$${target%/*} -run '^$$' -fuzz "^$${target##*/}\$$" -fuzztime $(FUZZTIME) || exit 1; \
	done

dist: check-go ## build static server binaries for several systems, in dist/
	@for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		os=$${target%/*}; arch=$${target#*/}; name=dist/parley-server-$(VERSION)-$$os-$$arch; \
		[ $$os = windows ] && name=$$name.exe; \
		echo $$name; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags "-s -w" -o $$name ./server || exit 1; \
	done

bench: check-go ## measure next to other servers, 20 minutes; writes bench/results.md, its plot, docs/scale.md's tables
	$(call packages,postgresql redis-server)
	CGO_ENABLED=0 go build -o bin/parley-server ./server
	cd bench && go build -o ../bin/bench . && ../bin/bench -write . -doc ../docs/scale.md

bench-cluster: check-go ## measure the part with several servers, 10 minutes; writes docs/scale.md's tables
	$(call packages,postgresql redis-server)
	CGO_ENABLED=0 go build -o bin/parley-server ./server
	cd bench && go test . && go build -o ../bin/bench . && ../bin/bench -only '^cluster$$' -doc ../docs/scale.md

bench-quick: check-go ## measure in one minute, with fewer servers; writes nothing
	$(call packages,postgresql)
	CGO_ENABLED=0 go build -o bin/parley-server ./server
	cd bench && go build -o ../bin/bench . && ../bin/bench -quick

bench-race: check-go ## drive a server with the race detector as bench-quick does; it ends at the first race
	$(call packages,postgresql)
	CGO_ENABLED=1 go build -race -o bin/parley-server-race ./server
	cd bench && go build -o ../bin/bench . && GORACE=halt_on_error=1 ../bin/bench -quick -peers '^(parley|limit)$$' -server ../bin/parley-server-race

soak: check-go ## put a load on the server for SOAKTIME, 20m by default, and look for leaks; writes bench/soak.svg
	CGO_ENABLED=0 go build -o bin/parley-server ./server
	cd bench && go build -o ../bin/bench . && ../bin/bench -soak $(SOAKTIME) -write .

bench-client: check-go ## measure the app's message list
	go test -run '^$$' -bench . ./client/ui ./client/ui/conversation

bench-peers: ## install the servers that are not written in Go, for make bench
	npm install --silent --no-audit --no-fund --prefix build/bench ws
	@command -v dpkg >/dev/null && $(MAKE) --no-print-directory daphne-packages || echo "For Django Channels, install daphne and channels."

clean: ## remove what was built
	rm -rf bin build dist

check-go:
	@command -v go >/dev/null || { echo "Parley needs Go 1.26 or newer: get it at https://go.dev/dl/"; exit 1; }
	@go list -m >/dev/null 2>&1 || { echo "Parley needs Go 1.26 or newer, this is $$(go env GOVERSION): get it at https://go.dev/dl/"; exit 1; }

# packages installs Debian's packages where it may, and else says how.
define packages
	@if command -v dpkg >/dev/null; then \
		missing=; for p in $(sort $(1)); do dpkg -s $$p 2>/dev/null | grep -q '^Status: install ok' || missing="$$missing $$p"; done; \
		[ -z "$$missing" ] && exit 0; \
		root=; [ "$$(id -u)" = 0 ] || root=sudo; \
		if [ -z "$$root" ] || [ -n "$$CI" ]; then \
			$$root apt-get update -q && DEBIAN_FRONTEND=noninteractive $$root apt-get install -q -y --no-install-recommends $$missing; \
		else \
			echo "Some packages are missing. Install them, then try again:"; echo "  sudo apt install$$missing"; exit 1; \
		fi; \
	elif [ "$$(uname -s)" = Linux ]; then \
		echo "This is no Debian or Ubuntu: going on without looking for the counterparts of these packages:"; echo "  $(1)"; \
	fi
endef

daphne-packages:
	$(call packages,python3-daphne python3-django-channels)

build-packages:
	$(call packages,$(BUILD_PACKAGES))

test-packages:
	$(call packages,$(TEST_PACKAGES))

# What the tests take from npm, in build/npm: exact versions.
npm-packages:
	@command -v npm >/dev/null || $(MAKE) --no-print-directory node-packages
	@npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix build/npm $(NPM_PACKAGES)

node-packages:
	$(call packages,nodejs npm)
