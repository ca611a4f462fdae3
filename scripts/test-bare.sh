#!/usr/bin/env bash
# Both commands of the README in a clean clone of HEAD, as on a fresh machine.
# That is: an empty environment, an empty HOME, no git identity, and a PATH with nothing but Rust, git, a C compiler, sh
# and the basic tools.
#
#   scripts/test-bare.sh            the demo, then the tests
#   scripts/test-bare.sh demo       the demo only
#   scripts/test-bare.sh tests      the tests only
#   scripts/test-bare.sh gate       the tests, and those that fail once more: the step of .ci/run
#
# The gate (`AO_BARE_SHARED=1`) builds nothing twice: a checkout in which nothing differs from HEAD is its own clean clone,
# and the checkout's target directory is the build cache.
#
# In the gate, a test that failed is run once more, alone. If it passes then it is told as FLAKY (a line and its first output
# in the file that AO_FLAKY names) and forgiven; at most three are forgiven in a run. Whatever fails twice is red, and so
# is a target that fails without naming a test.
#
# What is passed on, because it only says how this machine reaches the package registry and where Rust lives:
# CARGO_HOME and RUSTUP_HOME if set (else cargo's own configuration file is copied), proxies and certificate files.
set -euo pipefail

which=${1:-both}
case "$which" in demo | tests | gate | both) ;; *)
    echo "usage: $0 [demo|tests|gate]" >&2
    exit 2
    ;;
esac

# The demo and the tests are built from nothing on perhaps two cores; a hang must not eat the day.
readonly DEMO_LIMIT=1500 TEST_LIMIT=2400
# How long what was started may take to be gone after the command returned.
readonly LEAVE_LIMIT=15
# A test that is run once more takes seconds; what it needs is built.
readonly AGAIN_LIMIT=600
# More than these in one run are no chance.
readonly FORGIVEN=3

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
bare=$(mktemp -d "${TMPDIR:-/tmp}/ao-bare.XXXXXX")
mkdir "$bare/home" "$bare/bin" "$bare/tmp"

# Processes that still have our HOME in their environment: everything that the commands left behind.
left_behind() {
    local dir
    for dir in /proc/[0-9]*; do
        if { tr '\0' '\n' <"$dir/environ"; } 2>/dev/null | grep -qxF "HOME=$bare/home"; then
            echo "${dir#/proc/}"
        fi
    done
}

clean_up() {
    local status=$? pid
    for pid in $(left_behind); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    if [ -n "${AO_KEEP_BARE:-}" ]; then
        echo "bare: kept $bare"
    else
        rm -rf "$bare"
    fi
    exit "$status"
}
trap clean_up EXIT

link() {
    local path
    path=$(type -P "$1") || return 1
    ln -s "$path" "$bare/bin/$1"
}
# The compiler itself, not rustup's proxy: the proxy would look for a toolchain in the empty HOME.
sysroot=$(cd "$root" && rustc --print sysroot)
for tool in cargo rustc rustdoc; do
    ln -s "$sysroot/bin/$tool" "$bare/bin/$tool"
done
for tool in git cc ld as ar sh; do
    link "$tool" || {
        echo "bare: $tool is needed and not there" >&2
        exit 1
    }
done
# coreutils, and what every base system has beside them.
for tool in '[' arch b2sum base32 base64 basename cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname \
    du echo env expand expr factor false fmt fold groups head hostid id install join link ln logname ls md5sum mkdir \
    mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pr printenv printf ptx pwd readlink realpath rm \
    rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac \
    tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes \
    grep sed find xargs setsid; do
    link "$tool" || true
done

passed=()
for name in RUSTUP_HOME CARGO_HOME HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy \
    SSL_CERT_FILE SSL_CERT_DIR; do
    if [ -n "${!name:-}" ]; then passed+=("$name=${!name}"); fi
done
while IFS= read -r name; do
    passed+=("$name=${!name}")
done < <(compgen -e | grep -E '^CARGO_(HTTP|NET|REGISTRIES|REGISTRY|SOURCE)_' | grep -v TOKEN || true)
if [ -z "${CARGO_HOME:-}" ]; then
    for config in "${HOME:-/nonexistent}/.cargo/config.toml" "${HOME:-/nonexistent}/.cargo/config"; do
        if [ -f "$config" ]; then
            mkdir -p "$bare/home/.cargo"
            cp "$config" "$bare/home/.cargo/"
        fi
    done
fi

if [ -n "${AO_BARE_SHARED:-}" ]; then
    passed+=("CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}")
    # Else everything would be compiled again.
    if [ -n "${CARGO_INCREMENTAL:-}" ]; then passed+=("CARGO_INCREMENTAL=$CARGO_INCREMENTAL"); fi
    # What was downloaded is not downloaded again.
    if [ -z "${CARGO_HOME:-}" ] && [ -d "${HOME:-/nonexistent}/.cargo" ]; then passed+=("CARGO_HOME=$HOME/.cargo"); fi
fi

in_bare() {
    (cd "$clone" && exec env -i HOME="$bare/home" PATH="$bare/bin" "${passed[@]}" "$@")
}

clone=$root
if [ -z "${AO_BARE_SHARED:-}" ] || [ "$(in_bare git status --porcelain 2>&1)" != "" ]; then
    clone=$bare/clone
    if ! git -C "$root" diff --quiet HEAD --; then
        echo "bare: note: HEAD is tested, and there are changes that are not committed"
    fi
    git clone --quiet --no-hardlinks "$root" "$clone"
fi

for tool in node npm tmux python3 bash ps awk; do
    if in_bare sh -c "command -v $tool" >/dev/null; then
        echo "bare: $tool is on the bare PATH: the test would prove nothing" >&2
        exit 1
    fi
done

# Runs a command with a limit, shows the end of what it said, and fails if it failed or left something running.
try() {
    local name=$1 limit=$2 status=0 start=$SECONDS wait pids
    shift 2
    echo "bare: $name: $*"
    in_bare timeout -k 30 "$limit" "$@" </dev/null >"$bare/$name.log" 2>&1 || status=$?
    tail -n 40 "$bare/$name.log"
    echo "bare: $name: exit code $status after $((SECONDS - start)) s"
    if [ "$status" -ne 0 ]; then
        grep -nE '^(error|failures:|---- |test .*FAILED)|panicked at' "$bare/$name.log" | head -n 60 || true
        if [ "$which" = gate ]; then once_more "$bare/$name.log"; else exit 1; fi
        return 0
    fi
    for ((wait = 0; wait < LEAVE_LIMIT; wait++)); do
        pids=$(left_behind)
        [ -z "$pids" ] && return 0
        sleep 1
    done
    echo "bare: $name left processes behind:" >&2
    for pid in $pids; do
        echo "  $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" >&2
    done
    exit 1
}

# What a test said when it failed; its first lines.
said() {
    local line on= lines=0
    while IFS= read -r line; do
        case "$line" in
            "---- $2 stdout ----") on=1 ;;
            "---- "*" stdout ----" | failures:) on= ;;
        esac
        if [ -n "$on" ] && [ "$lines" -lt 80 ]; then
            printf '         | %s\n' "$line"
            lines=$((lines + 1))
        fi
    done <"$1"
}

# Runs alone what failed in the log of a `cargo test`; returns if all of it passes now and it was little.
once_more() {
    local failed target name log args status red=0
    if ! failed=$("$root/scripts/failed-tests.sh" "$1"); then exit 1; fi
    # What failed tests left running is theirs; the next run begins without it.
    for pid in $(left_behind); do kill -KILL "$pid" 2>/dev/null || true; done
    if [ "$(wc -l <<<"$failed")" -gt "$FORGIVEN" ]; then
        echo "bare: more than $FORGIVEN tests failed, which is no chance:"
        while IFS=$'\t' read -r target name; do printf '%s (%s)\n' "$name" "$target"; said "$1" "$name"; done <<<"$failed"
        exit 1
    fi
    log=$bare/again.log
    while IFS=$'\t' read -r target name; do
        echo "bare: once more, alone: cargo test $target -- --exact $name"
        read -ra args <<<"$target"
        status=0
        in_bare timeout -k 30 "$AGAIN_LIMIT" cargo test "${args[@]}" -- --exact "$name" </dev/null >"$log" 2>&1 || status=$?
        # A name that matches nothing passes, too.
        if [ "$status" -eq 0 ] && grep -q '^test result: ok\. 1 passed' "$log"; then
            echo "bare: FLAKY: $name"
            { printf 'FLAKY    %s (%s)\n' "$name" "$target"; said "$1" "$name"; } >>"${AO_FLAKY:-/dev/stderr}"
        else
            echo "bare: $name failed twice"
            tail -n 100 "$log"
            red=1
        fi
    done <<<"$failed"
    if [ "$red" -ne 0 ]; then exit 1; fi
}

if [ "$which" = gate ]; then try tests "$TEST_LIMIT" cargo test --workspace --no-fail-fast; fi
if [ "$which" = demo ] || [ "$which" = both ]; then try demo "$DEMO_LIMIT" cargo run --release -- demo; fi
if [ "$which" = tests ] || [ "$which" = both ]; then try tests "$TEST_LIMIT" cargo test --workspace; fi
if [ -n "$(git -C "$clone" status --porcelain)" ]; then
    echo "bare: the commands changed the checkout:" >&2
    git -C "$clone" status --short >&2
    exit 1
fi
echo "bare: passed"
