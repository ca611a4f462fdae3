#!/usr/bin/env bash
# A full disk, then one that answers EIO, under log and journal: agents run on, gaps are recorded, writing goes on (needs mounts).
#
# The data root lies once on a tmpfs of 12 MB that is filled, and once on a file system of our own (scripts/disk/failing.py)
# that answers EIO to every write on command. Both are mounted by root or in a user namespace of its own; where neither is
# allowed this is skipped with the reason. The second needs fuse3, libfuse2 and python3-fusepy, which are installed with apt.
set -euo pipefail

if [ "${1:-}" != inside ]; then
    cd "$(dirname "$0")/.."
    scripts/need.sh git grep
    cargo build --quiet -p ao
    if [ "$(id -u)" -eq 0 ]; then space=(unshare -m); else space=(unshare -rm); fi
    if ! "${space[@]}" sh -c 'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d" && rmdir "$d"' 2>/dev/null; then
        echo "test-disk: skipped: neither root nor a user namespace may mount a tmpfs here" >&2
        exit 0
    fi
    "${space[@]}" "$0" inside full "$PWD/target/debug/ao"
    if ! scripts/need.sh fusepy; then
        echo "test-disk: EIO is skipped: fusepy is not there and cannot be installed" >&2
        exit 0
    fi
    if ! [ -r /dev/fuse ] || ! [ -w /dev/fuse ]; then
        echo "test-disk: EIO is skipped: /dev/fuse cannot be opened here" >&2
        exit 0
    fi
    exec "${space[@]}" "$0" inside broken "$PWD/target/debug/ao"
fi

how=$2
failing=$(cd "$(dirname "$0")" && pwd)/disk/failing.py
place=$(mktemp -d /tmp/aod.XXXXXX)
cp "$3" "$place/ao"
ao() { "$place/ao" "$@"; }
export AO_HOME="$place/h" HOME="$place/user" AO_PLACES=20 GIT_CONFIG_NOSYSTEM=1

fail() {
    echo "test-disk: $how: $*" >&2
    tail -n 5 "$AO_HOME/daemon.log" >&2 || true
    exit 1
}
until_true() {
    local what=$1
    shift
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail "not within a minute: $what"
}

# How the disk is made, broken and mended; `errno` is what a gap of the log says then.
case "$how" in
full)
    errno=28
    make_disk() { mount -t tmpfs -o size=12m,mode=700 none "$AO_HOME"; }
    break_disk() {
        # Every block: what one write leaves another one takes.
        dd if=/dev/zero of="$AO_HOME/filler" bs=64k 2>/dev/null || true
        dd if=/dev/zero of="$AO_HOME/filler" bs=512 oflag=append conv=notrunc 2>/dev/null || true
    }
    mend() { rm -f "$AO_HOME/filler"; }
    ;;
broken)
    errno=5
    make_disk() {
        mkdir -m 700 "$place/below"
        /usr/bin/python3 "$failing" "$place/below" "$AO_HOME" "$place/eio" 2>"$place/failing.log" &
        until_true "the failing file system is mounted" mountpoint -q "$AO_HOME"
    }
    break_disk() { touch "$place/eio"; }
    mend() { rm -f "$place/eio"; }
    ;;
esac

end() {
    code=$?
    mend
    ao stop --all >/dev/null 2>&1 || true
    ao daemon stop >/dev/null 2>&1 || true
    umount "$AO_HOME" || umount -l "$AO_HOME" || true
    rm -rf "$place"
    exit "$code"
}
trap end EXIT
mkdir -p "$AO_HOME" "$HOME" "$place/app"
make_disk
cd "$place/app"
git init -q --initial-branch=main
git -c user.name=a -c user.email=a@localhost commit -q --allow-empty -m First

# An agent that counts for ever, in bursts that fill a disk's last block and the ring of 256 KB behind it.
count='n=0; while :; do n=$((n+1)); printf "%0127d\n" "$n"; echo "$n" >'"$place"'/counted; [ -e '"$place"'/fast ] || sleep 0.02; done'
id=$(ao --json new "counts" --name counts --agent shell --no-prompt -- sh -c "$count" | sed -n 's/^ *"id": "\(.*\)",$/\1/p' | head -n 1)
until_true "the agent counts" test -s "$place/counted"
dir=$(echo "$AO_HOME"/*/sessions/"$id".d/1)
ao send "$id" "a promise" >/dev/null 2>&1 || true

echo "test-disk: the disk is $how"
break_disk
before=$(cat "$place/counted")
touch "$place/fast"
until_true "the agent runs on with a disk that is $how" sh -c "[ \$(cat $place/counted) -gt $((before + 8000)) ]"
rm "$place/fast"
until_true "status says that the log is degraded" sh -c "'$place/ao' status '$id' | grep -q -i 'disk\|degraded'"
said=$(ao new "more work" --agent shell --no-prompt -- sh -c true 2>&1 && echo taken || true)
case "$said" in
*"journal cannot be written"*) ;;
*) fail "new work is refused in words: $said" ;;
esac
ao list >/dev/null || fail "reading goes on"
ao daemon status 2>&1 | grep -q 'read_only\|read only\|cannot be written' || fail "the daemon says so: $(ao daemon status 2>&1)"
daemon=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$AO_HOME/daemon.json")

echo "test-disk: the disk takes writes again"
mend
until_true "the daemon takes work again" "$place/ao" new "more work" --name more --agent shell --no-prompt -- sh -c 'sleep 600'
[ "$daemon" = "$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$AO_HOME/daemon.json")" ] || fail "it was not restarted"
until_true "status says no more that the log is degraded" sh -c "! '$place/ao' status '$id' | grep -q -i 'degraded'"
# Records of the index have 32 bytes; byte 24 says what they are about, and 2 is a gap.
gaps=$(od -An -v -tu1 -w32 "$dir/out.idx" | awk '$25 == 2' | wc -l)
[ "$gaps" -ge 1 ] || fail "the gap is recorded in $dir/out.idx"
told=$(od -An -v -tu1 -w32 "$dir/out.idx" | awk '$25 == 2 && !n++ { print $29 + 256 * $30 }')
[ "$told" = "$errno" ] || fail "the gap says errno $told, not $errno"
# Whatever is there is the sequence: every line is the one before it plus one, but at the gaps.
jumps=$(cat $(ls "$dir"/out-*.log | sort -t- -k2 -n) | tr -d '\r' | awk 'length($0) == 127 { if (n && $0 + 0 != n + 1) j++; n = $0 + 0 } END { print j + 0 }')
[ "$jumps" -le "$gaps" ] || fail "$jumps jumps and $gaps gaps"
ao daemon stop >/dev/null
ao list --json >/dev/null || fail "the journal opens again"
ao list | grep -q counts || fail "what was promised is there"
ao stop --all >/dev/null
echo "test-disk: $how: $gaps gap(s) with errno $errno, $jumps jump(s), nothing promised was lost"
