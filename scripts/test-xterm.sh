#!/usr/bin/env bash
# The screen engine and its snapshots against xterm.js, over recordings of real agents (installs @xterm/headless).
set -euo pipefail

# The version whose widths and modes were compared.
readonly XTERM=5.5.0

cd "$(dirname "$0")/.."
scripts/need.sh node npm
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-xterm.XXXXXX")
trap 'rm -rf "$place"' EXIT
cp scripts/xterm/compare.mjs "$place"
echo "test-xterm: installing @xterm/headless $XTERM"
npm install --silent --no-audit --no-fund --prefix "$place" "@xterm/headless@$XTERM"
cargo build --quiet -p ao-host --example replay
for cast in crates/testkit/fixtures/casts/*.cast; do
    cargo run --quiet -p ao-host --example replay -- "$cast" >"$place/reports"
    node "$place/compare.mjs" "$cast" <"$place/reports"
done
