# shellcheck shell=bash
# What the tests with tmux share, to be sourced: `ao`, an empty $place whose name is short (sockets lie below it) with a data
# root of its own, and how to wait. Whoever sources it sets $test, its name, and $LIMIT, seconds that anything may take.

cd "$(git -C "$(dirname "${BASH_SOURCE[0]}")" rev-parse --show-toplevel)"
scripts/need.sh tmux
cargo build --quiet -p ao
ao=$PWD/target/debug/ao
place=$(mktemp -d /tmp/aot.XXXXXX)
export AO_HOME=$place/home
mkdir -m 700 "$AO_HOME"

# Says what stands when something fails; whoever knows more says more.
trouble() {
    "$ao" status >&2 || true
    tail -n 20 "$AO_HOME"/*.log >&2 2>/dev/null || true
}

fail() {
    echo "$test: $1" >&2
    trouble
    exit 1
}

# Waits until a command succeeds.
until_true() {
    local what=$1 end=$((SECONDS + LIMIT))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what: not within $LIMIT s"
        sleep 0.1
    done
}

# Process of the daemon.
daemon() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$AO_HOME/daemon.json"; }

# Makes the current directory a repository with one commit of all that lies there.
repository() {
    git init --quiet --initial-branch=main
    git add --all
    git -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty --message="$1"
}
