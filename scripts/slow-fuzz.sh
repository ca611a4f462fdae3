#!/usr/bin/env bash
# Fuzzes wire codec, screen engine and serialiser with libFuzzer, an hour each (or: scripts/slow-fuzz.sh SECONDS [TARGET …]).
#
# It begins with the inputs in fuzz/corpus, runs on the stable compiler with the coverage of LLVM, and prints the input of
# a failure. What it learns stays in target/fuzz/corpus; the smallest set that covers the same is printed as a folder to
# copy into fuzz/corpus, which `cargo test -p ao-host fuzzed` replays. Needs a C++ compiler.
set -euo pipefail

cd "$(dirname "$0")/.."
scripts/need.sh g++
seconds=${1:-3600}
targets=("${@:2}")
[[ ${#targets[@]} -gt 0 ]] || targets=(wire engine serialiser)

host=$(rustc -vV | sed -n 's/^host: //p')
readonly COVERAGE="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
echo "slow-fuzz: building ${targets[*]}"
CARGO_TARGET_DIR=target/fuzz RUSTFLAGS="--cfg fuzzing $COVERAGE" \
    cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$host"

for target in "${targets[@]}"; do
    learned=target/fuzz/corpus/$target
    mkdir -p "$learned" "target/fuzz/smallest/$target" target/fuzz/artifacts
    echo "slow-fuzz: $target for $seconds s"
    nice "target/fuzz/$host/release/$target" "$learned" "fuzz/corpus/$target" -max_total_time="$seconds" -max_len=4096 \
        -timeout=20 -rss_limit_mb=1024 -artifact_prefix="target/fuzz/artifacts/$target-" -print_final_stats=1 \
        -verbosity=0
    nice "target/fuzz/$host/release/$target" -set_cover_merge=1 -max_len=1024 -verbosity=0 \
        "target/fuzz/smallest/$target" "$learned" "fuzz/corpus/$target"
    echo "slow-fuzz: $target: $(find "target/fuzz/smallest/$target" -type f | wc -l) inputs in target/fuzz/smallest/$target"
done
