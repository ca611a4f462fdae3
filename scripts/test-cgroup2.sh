#!/usr/bin/env bash
# cgroup v2 with every controller, for real: trees, limits and CPU shares in a machine of its own (qemu, a Debian kernel).
#
# Most machines of tests hold their controllers in v1 hierarchies, where v2 has none. This starts a small machine whose kernel
# has them all in v2, with copies of what was built and of this machine's programs. Needs qemu, cpio and busybox, and unpacks
# a kernel package: installed and fetched with apt; skipped with the reason where that cannot be done.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "test-cgroup2: skipped: $*" >&2
    exit 0
}
[ "$(uname -m)" = x86_64 ] || skip "the machine is built for x86_64 only"
command -v apt-get >/dev/null || skip "there is no apt-get to fetch a kernel with"
scripts/need.sh git qemu cpio busybox || skip "qemu, cpio or busybox is not there and cannot be installed"

cargo build --quiet -p ao
cargo build --quiet -p ao-host --example host
tests=$(cargo test -p ao-host --test it --no-run 2>&1 | sed -n 's/.*Executable .*(\(.*\))$/\1/p')
[ -n "$tests" ] && [ -x "$tests" ] || { echo "test-cgroup2: the tests were not built" >&2 && exit 1; }

place=$(mktemp -d /tmp/aog.XXXXXX)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
mkdir -p "$place/kernel" "$place/init"

# A kernel, unpacked and not installed.
package=$(apt-cache depends linux-image-cloud-amd64 | grep -o 'linux-image-[0-9][^ ]*' | head -n 1) || true
[ -n "$package" ] || skip "apt knows no linux-image-cloud-amd64"
(cd "$place/kernel" && apt-get download -qq "$package" >/dev/null 2>&1) || skip "$package cannot be fetched"
dpkg-deb -x "$place"/kernel/*.deb "$place/kernel"
kernel=$(echo "$place"/kernel/boot/vmlinuz-*)

# All that is there: programs with the libraries that they name, in the places where they lie here.
root=$place/init
put() {
    local file
    mkdir -p "$root$(dirname "$1")"
    cp -L "$1" "$root$1"
    for file in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
        [ -e "$root$file" ] && continue
        mkdir -p "$root$(dirname "$file")"
        cp -L "$file" "$root$file"
    done
}
put "$PWD/target/debug/ao"
put "$PWD/$tests"
put "$PWD/target/debug/examples/host"
for name in sh cat chmod chown cut cp date dirname env echo false find git grep head kill ln ls mkdir mkfifo mktemp mv nproc \
    printf readlink rm rmdir sed seq setpriv setsid sleep sort stat stty tail tee test touch tr true tty uname wc xargs yes; do
    path=$(command -v "$name" || true)
    case "$path" in /*) ;; *) path=/usr/bin/$name ;; esac
    [ -x "$path" ] && put "$path"
done
mkdir -p "$root"/{proc,sys,dev,tmp,run,etc,bin,busybox}
[ -e "$root/bin/sh" ] || cp -L /bin/sh "$root/bin/sh"
printf 'root:x:0:0:root:/tmp/user:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' >"$root/etc/passwd"
cp "$(command -v busybox)" "$root/busybox/busybox"
cp scripts/cgroup2/guest.sh "$root/guest.sh"
cat >"$root/init" <<EOF
#!/busybox/busybox sh
b=/busybox/busybox
\$b mount -t proc proc /proc
\$b mount -t sysfs sys /sys
\$b mount -t devtmpfs dev /dev
\$b mkdir -p /dev/pts /dev/shm
\$b mount -t devpts -o ptmxmode=666,mode=620 pts /dev/pts
# A checkout below /tmp stays in sight.
\$b mkdir /checkout
\$b mount -o bind "$PWD" /checkout
\$b mount -t tmpfs -o mode=1777 tmp /tmp
\$b mkdir -p "$PWD"
\$b mount -o bind /checkout "$PWD"
\$b mount -t cgroup2 none /sys/fs/cgroup
\$b ifconfig lo up
PATH="$PATH" /bin/sh /guest.sh "$PWD/target/debug/ao" "$PWD/$tests" && echo 'test-cgroup2: guest: green'
\$b poweroff -f
EOF
chmod 755 "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc) >"$place/initrd"

# Without hardware help: machines that are guests themselves often have some that does not work.
timeout 1500 qemu-system-x86_64 -accel tcg -cpu qemu64 -smp 2 -m 3072 -nographic -no-reboot -nodefaults \
    -serial stdio -kernel "$kernel" -initrd "$place/initrd" \
    -append "console=ttyS0 quiet panic=-1" </dev/null 2>&1 |
    tr -d '\r' | tee "$place/said" | grep --line-buffered 'test-cgroup2\|^test \|^test result\|panicked\|uses \|limit' || true
grep -q '^test-cgroup2: guest: green' "$place/said" || { tail -n 40 "$place/said" >&2 && exit 1; }
