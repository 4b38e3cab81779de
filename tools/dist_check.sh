#!/bin/sh
# Makes what is released twice, in different places, under other settings and with another name for the time zone, and
# compares the bytes; then tries what came out (tests/e2e/dist.py). Exit 0: all equal, and all that was tried works.
#
#     tools/dist_check.sh [OUTPUT-FOLDER]
set -eu
cd "$(dirname "$0")/.."
first=${1:-build/dist}
second=build/dist-again
rm -rf "$second"

say() {
    printf '\n--- %s\n' "$*"
}

say "first run"
tools/dist.sh "$first"
say "second run"
# Another depth of folders, umask, zone, language, home and number of jobs.
(
    umask 077
    mkdir -p build/dist-other/a/b
    HOME=$PWD/build/dist-other TZ=Pacific/Kiritimati LANG=de_DE.UTF-8 LC_ALL='' JOBS=3 \
        WORK=build/dist-other/a/b/work tools/dist.sh "$second"
)
rm -rf build/dist-other
say "comparing"
diff -r "$first" "$second" || {
    echo "dist-check: the two runs gave different bytes (kept: $first, $second)" >&2
    exit 1
}
echo "equal: $(find "$first" -type f | wc -l) files"
rm -rf "$second"
say "trying what came out"
PLIMSOLL_DIST=$(cd "$first" && pwd) exec python3 tests/e2e/dist.py
