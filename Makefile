# SPDX-License-Identifier: Apache-2.0
# A thin front: Meson and Ninja do the work. `make help` lists what there is.

.PHONY: build demo check check-long bench bench-deps clean help deps deps-check deps-long format

help:
	@echo "make build       build what people use (build/caisson, build/enclaves/NAME.elf, libraries)"
	@echo "make demo        build, then run the main job: 200,000 sealed card records"
	@echo "make check       build with gcc, clang and sanitizers, and run the short tests"
	@echo "make check-long  the long tests: fuzzing, soak, exhaustive runs"
	@echo "make bench       benchmarks: one table of goals, as ratios taken in one run"
	@echo "make bench-deps  install what Caisson is compared with (DPDK, gRPC, QEMU and others)"
	@echo "make format      clang-format over the tree"

deps:
	@scripts/deps.sh build

deps-check:
	@scripts/deps.sh check

deps-long:
	@scripts/deps.sh long

build: deps
	@test -f build/build.ninja || meson setup build >build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	@ninja -C build --quiet product

demo: build
	@build/caisson demo

check: deps-check
	@python3 scripts/check.py short

check-long: deps-long
	@python3 scripts/check.py long

bench: build
	@ninja -C build --quiet benches
	@python3 scripts/bench.py

bench-deps:
	@scripts/deps.sh bench
	@python3 scripts/bench_kernel.py build
	@test ! -f build/build.ninja || meson setup --reconfigure build >/dev/null

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	@rm -rf build build-*
