#!/bin/sh
# Fuzzes every reader in turn with libFuzzer, ASan and UBSan; or one:
#
#     TIME=600 TARGET=tar JOBS=2 tools/fuzz.sh
#
# New inputs are kept in build-fuzz/corpus/NAME, findings in build-fuzz/findings/NAME; both are listed at the end.
# Exit 1 when anything was found. A finding belongs into tests/fuzz/corpus/NAME together with its fix.
set -eu
cd "$(dirname "$0")/.."
build='build-fuzz'
seconds=${TIME:-600}
jobs=${JOBS:-2}

[ -e $build/build.ninja ] ||
    CC=clang meson setup $build -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized
ninja -C $build -j "$jobs"

found=0
targets=${TARGET:-$(sed -n "s/^  '\([a-z0-9_]*\)',$/\1/p" tests/fuzz/meson.build)}
for name in $targets; do
    program=$build/tests/fuzz/fuzz_$name
    [ -x "$program" ] || {
        echo "fuzz: there is no target $name; tests/fuzz/meson.build lists them" >&2
        exit 2
    }
    mkdir -p "$build/corpus/$name" "$build/findings/$name"
    printf '%s: ' "$name"
    # One worker for each core, none above it; what a worker prints goes to its log.
    status=0
    "$program" -max_total_time="$seconds" -fork="$jobs" -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -timeout=20 \
        -rss_limit_mb=2048 -artifact_prefix="$build/findings/$name/" "$build/corpus/$name" "tests/fuzz/corpus/$name" \
        >"$build/findings/$name.log" 2>&1 || status=$?
    count=$(find "$build/findings/$name" -type f | wc -l)
    printf '%s inputs kept, %s findings, %s\n' "$(find "$build/corpus/$name" -type f | wc -l)" "$count" \
        "$(grep -o 'cov: [0-9]*' "$build/findings/$name.log" | tail -n 1)"
    if [ "$count" -gt 0 ] || { [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; }; then
        found=1
        grep -m 3 -E 'SUMMARY|ERROR:' "$build/findings/$name.log" || true
        find "$build/findings/$name" -type f | head -n 10 | sed "s/^/  /"
    fi
done
exit $found
