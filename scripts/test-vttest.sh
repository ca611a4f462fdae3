#!/usr/bin/env bash
# vttest's menus 1, 2, 3 and 8 in the screen engine and in xterm.js: every screen, text and attributes (installs vttest, @xterm/headless).
#
# It runs the vttest of this machine, and compares the streams it writes and those of crates/host/tests/fixtures, which
# `cargo test -p ao-host vttest` replays against screens that were looked at. `--record` keeps new ones there.
set -euo pipefail

# That of the page.
readonly XTERM=6.0.0

cd "$(dirname "$0")/.."
scripts/need.sh node npm python3 vttest
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-vttest.XXXXXX")
trap 'rm -rf "$place"' EXIT
cp scripts/xterm/compare.mjs "$place"
cp crates/web/ui/widths.js "$place/widths.mjs"
echo "test-vttest: installing @xterm/headless $XTERM"
npm install --silent --no-audit --no-fund --prefix "$place" "@xterm/headless@$XTERM"
cargo build --quiet -p ao-host --example replay
replay=${CARGO_TARGET_DIR:-target}/debug/examples/replay
python3 scripts/vttest/record.py "$place"
if [[ ${1:-} == --record ]]; then
    cp "$place"/vttest-*.80x24 crates/host/tests/fixtures
    AO_UPDATE_DOCS=1 cargo test --quiet -p ao-host --lib vttest
    git --no-pager diff --stat crates/host/tests/fixtures
fi
for menu in 1 2 3 8; do
    habits=()
    [[ $menu != 3 ]] || habits=(--blank-underscore)
    for stream in "$place/vttest-$menu.80x24" "crates/host/tests/fixtures/vttest-$menu.80x24"; do
        echo "test-vttest: menu $menu, $(wc -c <"$stream") bytes of $(basename "$(dirname "$stream")")"
        "$replay" "$stream" >"$place/reports"
        node "$place/compare.mjs" "${habits[@]}" <"$place/reports"
    done
done
