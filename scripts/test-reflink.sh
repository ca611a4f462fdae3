#!/usr/bin/env bash
# Dependency folders share their blocks on xfs and btrfs (loop mounts), a read-only disk loses nothing, Git LFS content survives.
#
# Needs root for the mounts, xfsprogs and btrfs-progs for the file systems, git-lfs; a part that cannot be shown is skipped
# with its reason.
set -euo pipefail

if [ "${1:-}" != inside ]; then
    cd "$(dirname "$0")/.."
    scripts/need.sh git grep
    cargo build --quiet -p ao
    if [ "$(uname -s)" != Linux ] || [ "$(id -u)" -ne 0 ]; then
        echo "test-reflink: skipped: mounting a file system needs root on Linux" >&2
        exit 0
    fi
    # A mount namespace of its own: whatever happens, no mount is left.
    exec unshare -m "$0" inside "$PWD/target/debug/ao" "$PWD/scripts/need.sh"
fi

binary=$2
need=$3
place=$(mktemp -d /tmp/aor.XXXXXX)
cp "$binary" "$place/ao"
export HOME="$place/user" AO_PLACES=20 GIT_CONFIG_NOSYSTEM=1
mkdir "$HOME"
git config --global user.name a
git config --global user.email a@localhost
git config --global init.defaultBranch main
ao() { "$place/ao" "$@"; }
end() {
    code=$?
    cd /
    for home in "$place"/*/h; do
        [ -d "$home" ] || continue
        AO_HOME="$home" ao stop --all >/dev/null 2>&1 || true
        AO_HOME="$home" ao daemon stop >/dev/null 2>&1 || true
    done
    for mount in "$place"/mnt-*; do umount "$mount" 2>/dev/null || true; done
    rm -rf "$place"
    exit "$code"
}
trap end EXIT
fail() {
    echo "test-reflink: $*" >&2
    tail -n 5 "$AO_HOME/daemon.log" >&2 || true
    exit 1
}
# Says what went wrong, and nothing else.
quiet() {
    if ! "$@" >"$place/said" 2>&1; then
        cat "$place/said" >&2
        fail "$*"
    fi
}
# The id of a new session, whose agent is a shell that waits.
workspace() {
    local id
    id=$(ao new "A task" --no-prompt --agent shell -- sh -c 'exec sleep 1000' 2>/dev/null | grep -o 'app-[0-9]*' | head -n 1)
    ao wait "$id" --for idle,working,detecting --timeout 60s >/dev/null 2>&1 || true
    for _ in $(seq 200); do
        if ao status "$id" | grep -q '  workspace  '; then break; fi
        sleep 0.1
    done
    echo "$id"
}
path_of() { ao --json status "$1" | grep -o '"workspacePath": *"[^"]*"' | head -n 1 | sed 's/.*: *"//; s/"$//'; }

MB=1048576
# A repository with 96 MB of dependencies in large and small files, on a mounted file system.
repository() {
    mkdir -p "$1/app/node_modules/.bin"
    cd "$1/app"
    git init -q
    echo node_modules/ >.gitignore
    printf 'projects:\n  app:\n    path: .\n    defaultBranch: main\n    dependencies: {node_modules: %s}\n' "$2" >agent-orchestrator.yaml
    git add --all
    git commit -q -m First
    dd if=/dev/urandom of=node_modules/large.bin bs=1M count=80 2>/dev/null
    for n in $(seq 64); do dd if=/dev/urandom of="node_modules/small-$n" bs=256k count=1 2>/dev/null; done
    ln -s ../large.bin node_modules/.bin/large
    sync -f "$1"
}
used() {
    sync -f "$1"
    # Some file systems account for what they wrote a moment later.
    df --output=used -B1 "$1" | tail -n 1 | tr -d ' '
}

for kind in xfs btrfs ext4; do
    if ! grep -qw "$kind" /proc/filesystems && ! modprobe "$kind" 2>/dev/null; then
        echo "test-reflink: $kind: skipped: this kernel does not know it"
        continue
    fi
    mkfs=mkfs.$kind
    case $kind in xfs) package=xfsprogs ;; btrfs) package=btrfs-progs ;; *) package=e2fsprogs ;; esac
    if ! command -v "$mkfs" >/dev/null && ! "$need" "$package" >&2; then
        echo "test-reflink: $kind: skipped: $package cannot be installed here"
        continue
    fi
    truncate -s 768M "$place/$kind.img"
    "$mkfs" -q "$place/$kind.img" >/dev/null
    mount_point="$place/mnt-$kind"
    mkdir "$mount_point"
    if ! mount -o loop "$place/$kind.img" "$mount_point"; then
        echo "test-reflink: $kind: skipped: no loop mount is possible here"
        continue
    fi
    export AO_HOME="$mount_point/h"
    repository "$mount_point" reflink
    quiet ao start
    before=$(used "$mount_point")
    id=$(workspace)
    dir=$(path_of "$id")
    after=$(used "$mount_point")
    grown=$(((after - before) / MB))
    if [ "$kind" = ext4 ]; then
        # It shares nothing: the folder is left out rather than copied, as `reflink` says.
        [ ! -e "$dir/node_modules" ] || fail "ext4: node_modules is there"
        echo "test-reflink: ext4: cannot share, and the folder is left out"
    else
        cmp -s node_modules/large.bin "$dir/node_modules/large.bin" || fail "$kind: the copy differs"
        [ "$(find "$dir/node_modules" | wc -l)" -eq "$(find node_modules | wc -l)" ] || fail "$kind: files are missing"
        [ "$(readlink "$dir/node_modules/.bin/large")" = ../large.bin ] || fail "$kind: the link is no link"
        [ "$grown" -lt 16 ] || fail "$kind: a session with 96 MB of dependencies took $grown MB"
        filefrag -v "$dir/node_modules/large.bin" | grep -q shared || fail "$kind: filefrag says that nothing is shared"
        # What a session changes is its own.
        sum=$(cksum <node_modules/large.bin)
        printf 'changed' | dd of="$dir/node_modules/large.bin" conv=notrunc 2>/dev/null
        [ "$(cksum <node_modules/large.bin)" = "$sum" ] || fail "$kind: the main checkout changed with it"
        [ "$(stat -c %Y "$dir/node_modules/small-1")" = "$(stat -c %Y node_modules/small-1)" ] || fail "$kind: times differ"
        echo "test-reflink: $kind: 96 MB of dependencies are in a session for $grown MB, shared by filefrag's word"
    fi
    quiet ao stop --all --cleanup
    ao daemon stop >/dev/null
    cd /
    umount "$mount_point"
    rm -f "$place/$kind.img"
done

# A disk of workspaces that becomes read-only: nothing is made there, nothing is removed, and nothing is lost.
mkdir -p "$place/mnt-ro" "$place/ro/app"
mount -t tmpfs -o size=16m none "$place/mnt-ro"
export AO_HOME="$place/ro/h"
cd "$place/ro/app"
git init -q
printf 'projects:\n  app:\n    path: .\n    defaultBranch: main\n    worktreeDir: %s\n' "$place/mnt-ro" >agent-orchestrator.yaml
git add --all
git commit -q -m First
quiet ao start
id=$(workspace)
dir=$(path_of "$id")
echo precious >"$dir/work.txt"
ao stop "$id" >/dev/null 2>&1
mount -o remount,ro "$place/mnt-ro"
if said=$(ao cleanup --archive "$id" 2>&1); then fail "read-only: it was cleaned up: $said"; fi
grep -qi 'read-only' <<<"$said" || fail "read-only: a clean-up does not say why: $said"
[ "$(cat "$dir/work.txt")" = precious ] || fail "read-only: the work is gone"
ao list --archived 2>/dev/null | grep -q "$id" && fail "read-only: it was archived"
if said=$(ao new "Another task" --no-prompt --agent shell -- sh -c 'exec sleep 1000' 2>&1); then
    fail "read-only: a session was started: $said"
fi
grep -qi 'read-only' <<<"$said" || fail "read-only: a session does not say why it cannot start: $said"
mount -o remount,rw "$place/mnt-ro"
ao cleanup --archive "$id" >/dev/null 2>&1 || fail "read-only: no clean-up when it can be written again"
git show "refs/ao/rescue/$id:work.txt" | grep -q precious || fail "read-only: the work was not kept"
ao daemon stop >/dev/null 2>&1
cd /
umount "$place/mnt-ro"
echo "test-reflink: read-only: nothing was removed or lost, and both the clean-up and the new session said why"

if ! command -v git-lfs >/dev/null && ! "$need" git-lfs >&2; then
    echo "test-reflink: git-lfs: skipped: it cannot be installed here"
    exit 0
fi
for workspace in worktree clone; do
    export AO_HOME="$place/lfs-$workspace/h"
    mkdir -p "$place/lfs-$workspace/app"
    cd "$place/lfs-$workspace/app"
    git init -q
    git lfs install --local >/dev/null
    # A server that nobody reaches: whoever asks it would fail or hang.
    git config lfs.url http://127.0.0.1:9/lfs
    git lfs track '*.bin' >/dev/null
    printf 'projects:\n  app:\n    path: .\n    defaultBranch: main\n    workspace: %s\n' "$workspace" >agent-orchestrator.yaml
    head -c 3000000 /dev/urandom >model.bin
    git add --all
    git commit -q -m First
    git show HEAD:model.bin | grep -q 'git-lfs.github.com' || fail "the commit holds no pointer"
    quiet ao start
    id=$(workspace)
    dir=$(path_of "$id")
    cmp -s model.bin "$dir/model.bin" || fail "lfs, $workspace: content that this machine has is not in the workspace"
    # Changed and new content that only the workspace has.
    head -c 2000000 /dev/urandom >"$dir/model.bin"
    head -c 1000000 /dev/urandom >"$dir/new.bin"
    cp "$dir/model.bin" "$place/model" && cp "$dir/new.bin" "$place/new"
    ao stop "$id" --cleanup >/dev/null || fail "lfs, $workspace: not cleaned up"
    [ ! -e "$dir" ] || fail "lfs, $workspace: the workspace is still there"
    git show "refs/ao/rescue/$id:new.bin" | grep -q 'git-lfs.github.com' || fail "lfs, $workspace: the rescue holds no pointer"
    ao rescue restore "$id" "$place/back-$workspace" >/dev/null
    cmp -s "$place/new" "$place/back-$workspace/new.bin" || fail "lfs, $workspace: rescued content is not in its place"
    cmp -s "$place/model" "$place/back-$workspace/model.bin" || fail "lfs, $workspace: changed content is not in its place"
    ao restore "$id" >/dev/null
    cmp -s "$place/new" "$dir/new.bin" || fail "lfs, $workspace: a restored session lacks its content"
    quiet ao stop "$id" --cleanup
    # A machine without the content: pointers, and nobody is asked.
    rm -rf model.bin .git/lfs/objects
    id=$(workspace)
    dir=$(path_of "$id")
    grep -q 'git-lfs.github.com' "$dir/model.bin" || fail "lfs, $workspace: no pointer where the content is missing"
    quiet ao stop --all --cleanup
    ao daemon stop >/dev/null
    echo "test-reflink: git-lfs, $workspace: content, rescue, restore and missing content are as they should be"
done
