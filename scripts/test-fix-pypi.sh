#!/usr/bin/env bash
# `ao fix` makes a package of PyPI green that was broken in eight places (installs python3, pytest in a venv).
#
# The package is fetched by pip, its hash is pinned here; scripts/fix-targets/toolz.json is the table of breakages, from which
# the scripted agents get their answers, and scripts/fix-targets/drive.py asks for the fix and proves it from outside.
set -euo pipefail

readonly PACKAGE=toolz VERSION=1.0.0 PYTEST=8.3.4
readonly HASH=sha256:2c86e3d9a04798ac556793bced838816296a2f085017664e4995cb40a1047a02
# Seconds: the packages are small; the run takes a minute where nothing else is done, and ends in any case.
readonly FETCH_LIMIT=180 LIMIT=330

cd "$(dirname "$0")/.."
scripts/need.sh git python3
cargo build --quiet --bin ao
ao=$(realpath "${CARGO_TARGET_DIR:-target}/debug/ao")
targets=$PWD/scripts/fix-targets
place=$(mktemp -d "${TMPDIR:-/tmp}/ao-pypi.XXXXXX")
trap 'rm -rf "$place"' EXIT
mkdir "$place/run"

cd "$place"
python3 -m venv venv
export PATH="$place/venv/bin:$PATH" VIRTUAL_ENV="$place/venv" PIP_DISABLE_PIP_VERSION_CHECK=1
echo "test-fix-pypi: fetching $PACKAGE $VERSION and installing pytest $PYTEST with pip"
echo "$PACKAGE==$VERSION --hash=$HASH" >requirements.txt
fetch() {
    timeout "$FETCH_LIMIT" python -m pip install --quiet "pytest==$PYTEST" &&
        timeout "$FETCH_LIMIT" python -m pip download --quiet --no-deps --no-binary :all: --require-hashes -r requirements.txt
}
if ! fetch >fetch.log 2>&1; then
    cat fetch.log >&2
    "$targets/unreachable.sh" fetch.log || exit 1
    echo "test-fix-pypi: SKIPPED: pip's index cannot be reached, so there is no package to fix"
    exit 0
fi
tar -xzf "$PACKAGE-$VERSION.tar.gz"

timeout -k 20 "$LIMIT" python3 -B "$targets/drive.py" "$ao" "$targets/$PACKAGE.json" "$place/$PACKAGE-$VERSION" "$place/run"
