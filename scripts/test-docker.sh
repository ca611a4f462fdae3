#!/usr/bin/env bash
# Runtime docker on an engine of its own: the contract suite, then runs in containers with the daemon killed in between.
set -euo pipefail

cd "$(dirname "$0")/.."

skip() {
    echo "test-docker: SKIPPED: $1"
    exit 0
}

[ "$(uname -s)" = Linux ] || skip "containers of this machine's own need Linux"
[ "$(id -u)" -eq 0 ] || skip "starting a Docker engine needs root"

# The engine and what the image is made of. dockerd is docker.io's, without which nothing of this can be shown.
if ! command -v dockerd >/dev/null 2>&1; then
    echo "test-docker: installing docker.io"
    if ! scripts/need.sh docker.io iptables; then skip "docker.io cannot be installed here"; fi
fi
scripts/need.sh git

place=$(mktemp -d "${TMPDIR:-/tmp}/ao-docker.XXXXXX")
engine=''
cleanup() {
    if [ -n "$engine" ]; then
        docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || true
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    # What the engine leaves mounted would keep the directory.
    while read -r _ mount _; do case $mount in "$place"/*) umount -l "$mount" 2>/dev/null || true ;; esac; done </proc/mounts
    rm -rf "$place"
}
trap cleanup EXIT

# An engine of our own: nothing of it lies outside $place, and neither bridges nor the machine's packet filter are touched.
export DOCKER_HOST=unix://$place/docker.sock
dockerd --data-root "$place/root" --exec-root "$place/exec" --pidfile "$place/pid" -H "$DOCKER_HOST" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false >"$place/dockerd.log" 2>&1 &
engine=$!
for _ in $(seq 150); do
    [ -S "$place/docker.sock" ] && docker version >/dev/null 2>&1 && break
    if ! kill -0 "$engine" 2>/dev/null; then
        tail -n 5 "$place/dockerd.log"
        engine=''
        skip "dockerd does not start on this machine"
    fi
    sleep 0.2
done
docker version --format 'test-docker: engine {{.Server.Version}}, interface {{.Server.APIVersion}}' ||
    { tail -n 5 "$place/dockerd.log"; skip "dockerd does not answer on this machine"; }

cargo build --quiet -p ao
ao=${CARGO_TARGET_DIR:-$PWD/target}/debug/ao

# An image without a registry: this machine's own shell, git and usual programs, with the libraries that they and `ao` need.
scripts/docker/image.sh "$place/image" "$ao"
tar -C "$place/image" -c . | docker import - ao-test:1 >/dev/null

echo "test-docker: the contract suite"
AO_TEST_DOCKER=$DOCKER_HOST AO_TEST_DOCKER_IMAGE=ao-test:1 \
    cargo test --quiet -p ao --test runtime docker:: -- --ignored --test-threads=4
left=$(docker ps -aq | wc -l)
[ "$left" -eq 0 ] || { docker ps -a; echo "test-docker: the suite left $left containers" >&2; exit 1; }

AO=$ao PLACE=$place scripts/docker/story.sh
