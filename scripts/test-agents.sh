#!/usr/bin/env bash
# Real agents, their models scripted and on loopback: two in `ao fix`, and six step by step (installs them from npm and PyPI).
#
#   scripts/test-agents.sh [claude-code|codex]      `ao fix` with one of them only
#
# Each gets an empty environment, a HOME of its own and no real key; nothing but the stand-in can be reached. The steps are
# those of scripts/slow-agents.sh; the gate (CI is set) has time for three of the six agents and says so.
set -euo pipefail

# The versions that the adapters were measured with (crates/plugins/src/agent/data).
readonly CLAUDE=2.1.197 CODEX=0.169.0
# Seconds for `ao fix`: some hundred megabytes each, and a run of ten seconds where nothing else is done.
readonly LIMIT=335

cd "$(dirname "$0")/.."
scripts/need.sh git python3 node npm
cargo build --quiet --bin ao
cargo build --quiet --package ao-standin
built=$(realpath "${CARGO_TARGET_DIR:-target}/debug")
targets=$PWD/scripts/fix-targets
sysroot=$(rustc --print sysroot)
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-agents.XXXXXX")
trap 'rm -rf "$place"' EXIT
SECONDS=0
mkdir "$place/bin"
# The compiler itself, not rustup's proxy: the proxy would look for a toolchain in the empty HOME.
for tool in cargo rustc rustdoc; do ln -s "$sysroot/bin/$tool" "$place/bin/$tool"; done
ln -s "$(command -v node)" "$place/bin/node"
ln -s "$(command -v git)" "$place/bin/git"

run() {
    local agent=$1 package=$2
    echo "test-agents: installing $package with npm"
    mkdir -p "$place/$agent/npm" "$place/$agent/run"
    if ! timeout "$((LIMIT - SECONDS))" npm install --loglevel=error --no-audit --no-fund --prefix "$place/$agent/npm" "$package" >"$place/npm.log" 2>&1; then
        cat "$place/npm.log" >&2
        "$targets/unreachable.sh" "$place/npm.log" || exit 1
        echo "test-agents: SKIPPED $agent: npm's registry cannot be reached, so the agent cannot be installed"
        return
    fi
    (cd "$place" && timeout -k 20 "$((LIMIT - SECONDS))" python3 -B "$targets/agents.py" "$built/ao" "$built/standin" "$agent" \
        "$place/$agent/npm/node_modules/.bin:$place/bin:/usr/local/bin:/usr/bin:/bin" "$place/$agent/run")
    rm -rf "${place:?}/$agent"
}

case "${1:-both}" in
claude-code | both) run claude-code "@anthropic-ai/claude-code@$CLAUDE" ;;&
codex | both) run codex "@openai/codex@$CODEX" ;;&
claude-code | codex | both) ;;
*)
    echo "usage: $0 [claude-code|codex]" >&2
    exit 2
    ;;
esac

if [ "$#" -eq 0 ]; then
    agents=(claude-code codex gemini)
    if [ -z "${CI:-}" ]; then
        agents+=(opencode pi aider)
    else
        echo "test-agents: left out to save time: the steps of opencode, pi and aider (make slow-agents)"
    fi
    scripts/slow-agents.sh "${agents[@]}"
fi
