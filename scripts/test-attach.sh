#!/usr/bin/env bash
# ao attach in tmux with vim, htop, less, claude and codex: every screen is that of the program without ao (installs them).
#
#   scripts/test-attach.sh [vim|htop|less|claude|codex]...
#
# The agents are real, their model is a stand-in on loopback. Recordings of every run stay in target/attach-casts.
set -euo pipefail

# The versions that the adapters were measured with (crates/plugins/src/agent/data).
readonly CLAUDE=2.1.197 CODEX=0.169.0
# Seconds for both agents to be installed: some hundred megabytes each.
readonly INSTALL=300

cd "$(dirname "$0")/.."
scripts/need.sh git tmux vim htop less python3 node npm
cargo build --quiet --bin ao
cargo build --quiet --package ao-standin
target=$(realpath "${CARGO_TARGET_DIR:-target}")
targets=$PWD/scripts/fix-targets
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-attach.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/agents" "$place/bin" "$place/run"
ln -s "$(command -v node)" "$place/bin/node"

install_agent() {
    local agent=$1 package=$2
    echo "test-attach: installing $package with npm"
    if timeout "$INSTALL" npm install --loglevel=error --no-audit --no-fund --prefix "$place/npm-$agent" "$package" >"$place/npm.log" 2>&1; then
        ln -s "$place/npm-$agent/node_modules/.bin/$agent" "$place/agents/$agent"
    else
        cat "$place/npm.log" >&2
        "$targets/unreachable.sh" "$place/npm.log" || exit 1
        echo "test-attach: SKIPPED $agent: npm's registry cannot be reached, so the agent cannot be installed"
    fi
}

wanted=" ${*:-vim htop less claude codex} "
case "$wanted" in *" claude "*) install_agent claude "@anthropic-ai/claude-code@$CLAUDE" ;; esac
case "$wanted" in *" codex "*) install_agent codex "@openai/codex@$CODEX" ;; esac
python3 -B scripts/attach/drive.py "$target/debug/ao" "$target/debug/standin" "$place/agents" "$place/bin:/usr/local/bin:/usr/bin:/bin" \
    "$place/run" "$target/attach-casts" "$@"
