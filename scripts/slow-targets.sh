#!/usr/bin/env bash
# Type checks for macOS and Windows: everything that ships compiles there (installs Debian's Rust, 350 MB).
#
#   scripts/slow-targets.sh [macos|windows]
#
# Nothing is linked or run: docs/platforms.md says what works where. The standard library is checked from source, because
# only Debian ships it; C code in dependencies is answered by a compiler that makes empty objects.
set -euo pipefail

cd "$(dirname "$0")/.."
# In a directory of its own: another compiler would rebuild everything else.
target=${CARGO_TARGET_DIR:-$PWD/target}/other-targets

need() {
    [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ] && command -v x86_64-w64-mingw32-gcc >/dev/null && return
    if ! command -v apt-get >/dev/null; then
        echo "slow-targets: SKIPPED: needs Debian's rustc-web, cargo-web, rust-web-src and gcc-mingw-w64-x86-64, and there is no apt-get here"
        exit 0
    fi
    echo "slow-targets: installing rustc-web, cargo-web, rust-web-src and gcc-mingw-w64-x86-64 with apt-get (350 MB)"
    local log root=()
    log=$(mktemp)
    [ "$(id -u)" -eq 0 ] || root=(sudo -n)
    if ! { "${root[@]}" apt-get update -qq && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "slow-targets: SKIPPED: apt-get could not install them"
        exit 0
    fi
    rm -f "$log"
}

check() {
    local triple=$1
    shift
    echo "slow-targets: checking $triple"
    PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target RUSTFLAGS='' \
        /usr/bin/cargo check --quiet -Zbuild-std=std,panic_abort --target "$triple" --workspace --exclude bench --exclude ao-testkit "$@"
}

need
mkdir -p "$target"
stub=$target/empty-objects.sh
cat >"$stub" <<'STUB'
#!/bin/sh
while [ $# -gt 1 ]; do
    [ "$1" = -o ] && : >"$2"
    shift
done
STUB
chmod +x "$stub"
case "${1:-both}" in
macos | both)
    CC_aarch64_apple_darwin=$stub AR_aarch64_apple_darwin=$stub check aarch64-apple-darwin
    ;;&
# xtask makes its tables from the daemon, which is not there.
windows | both) check x86_64-pc-windows-gnu --exclude xtask ;;&
macos | windows | both) echo "slow-targets: passed" ;;
*)
    echo "usage: $0 [macos|windows]" >&2
    exit 2
    ;;
esac
