# The few commands a person needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

SCALE ?= poor
# Cargo's target directory, also when it is set from outside.
TARGET := $(or $(CARGO_TARGET_DIR),target)
WEB_SOURCES = $(shell find web/src web/public web/index.html web/vite.config.ts web/svelte.config.js web/package-lock.json -type f 2>/dev/null)

.PHONY: help
help: ## 列出命令 List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## 演示：安装所缺、编译、装入演示省份并启动 Install, build, load the demo province, serve
	@scripts/setup.sh demo
	@$(MAKE) --no-print-directory web-build
	cargo build --release --locked
	@exec $(TARGET)/release/cuntong serve --demo $(SCALE)

.PHONY: test
test: ## 运行全部测试 Run every test: Rust, vitest, browser
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory web-build
	@scripts/timed.sh "Rust tests" cargo test --locked --workspace
	@scripts/timed.sh "page tests" npm --prefix web test
	@scripts/timed.sh "browser tests" scripts/e2e.sh

.PHONY: drill
drill: ## 断电演练：各 1,000 次填报中杀掉程序和数据库 The durability drills at full length
	@scripts/setup.sh test
	CUNTONG_DRILL=1000 cargo test --locked --test it drill -- --nocapture --test-threads=1

.PHONY: lint
lint: ## 检查格式、代码、脚本、SQL 和许可证 Formats, code, scripts, SQL, licences
	@scripts/setup.sh lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json
	npm --prefix web run lint
	npm --prefix web run check
	shellcheck scripts/*.sh .ci/run
	scripts/check-migrations.sh
	node scripts/check-licences.mjs

.PHONY: bench
bench: ## 性能测量（全省规模） Measure the map at province scale
	@scripts/setup.sh demo
	cargo bench --locked --bench map

.PHONY: dev
dev: ## 开发：改动后自动重编、重启 Build and restart at every change
	@scripts/setup.sh demo
	@exec scripts/dev.sh

.PHONY: web
web: web/node_modules/.package-lock.json ## 只改网页，接口用正在运行的程序 Work on the page against a running program
	npm --prefix web run dev

.PHONY: web-build
web-build: web/dist/index.html ## 构建网页 Build the page

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run build
	@touch $@

.PHONY: clean
clean: ## 删除编译结果，不动数据 Remove what was built; data stay
	cargo clean
	rm -rf web/dist web/node_modules
