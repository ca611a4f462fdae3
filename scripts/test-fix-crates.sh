#!/usr/bin/env bash
# `ao fix` makes a crate of crates.io green that was broken in eight places (needs cargo's registry).
#
# The crate is fetched by cargo, its checksum is pinned here; scripts/fix-targets/semver.json is the table of breakages, from
# which the scripted agents get their answers, and scripts/fix-targets/drive.py asks for the fix and proves it from outside.
set -euo pipefail

readonly CRATE=semver VERSION=1.0.26 CHECKSUM=56e6fa9c48d24d85fb3de5ad847117517440f6beceb7798af16b4a87d616b8d0
# Seconds: the crate is a few kilobytes; the run takes a minute where nothing else is done, and ends in any case.
readonly FETCH_LIMIT=120 LIMIT=330

cd "$(dirname "$0")/.."
scripts/need.sh git python3
cargo build --quiet --bin ao
ao=$(realpath "${CARGO_TARGET_DIR:-target}/debug/ao")
targets=$PWD/scripts/fix-targets
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-crate.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/fetch/src" "$place/run"

cd "$place/fetch"
touch src/lib.rs
cat >Cargo.toml <<EOF
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"

[dependencies]
$CRATE = "=$VERSION"
EOF
cat >Cargo.lock <<EOF
version = 3

[[package]]
name = "fetch"
version = "0.0.0"
dependencies = ["$CRATE"]

[[package]]
name = "$CRATE"
version = "$VERSION"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "$CHECKSUM"
EOF
echo "test-fix-crates: fetching $CRATE $VERSION with cargo"
if ! timeout "$FETCH_LIMIT" cargo vendor --quiet --locked >vendor.log 2>&1; then
    cat vendor.log >&2
    "$targets/unreachable.sh" vendor.log || exit 1
    echo "test-fix-crates: SKIPPED: cargo's registry cannot be reached, so there is no crate to fix"
    exit 0
fi

cd "$place"
# A shared target directory would mix what the worktrees build.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR
timeout -k 20 "$LIMIT" python3 -B "$targets/drive.py" "$ao" "$targets/$CRATE.json" "$place/fetch/vendor/$CRATE" "$place/run"
