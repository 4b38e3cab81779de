#!/bin/sh
# Everything that reads the sources without running them.
#
#     lint.sh             all: the quick tests (suite lint), then the analyzers
#     lint.sh analyzers   clang-tidy and cppcheck alone; 77 where neither is installed
#
# A file that clang-tidy found clean is looked at again only when it, a header or .clang-tidy changed.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
jobs=${JOBS:-2}
stamps=$build/lint
status=0

stale() { # files whose stamp is missing, or older than the file, the headers or the settings
    newest=$(find src tests .clang-tidy -name '*.h' -o -name .clang-tidy | xargs ls -t | head -n 1)
    find src tests -name '*.c' | sort | while read -r file; do
        stamp=$stamps/$(echo "$file" | tr / _).ok
        [ -e "$stamp" ] && [ "$stamp" -nt "$file" ] && [ "$stamp" -nt "$newest" ] || echo "$file"
    done
}

run_clang_tidy() {
    command -v clang-tidy >/dev/null || {
        echo "clang-tidy is not installed: not run"
        return 0
    }
    mkdir -p "$stamps"
    # shellcheck disable=SC2016
    stale | xargs -r -P "$jobs" -n 1 sh -c '
        output=$(clang-tidy -p "$1" --quiet "$3" 2>/dev/null) &&
            touch "$2/$(echo "$3" | tr / _).ok" || { printf "%s\n" "$output"; exit 1; }' tidy "$build" "$stamps" ||
        status=1
}

run_cppcheck() {
    command -v cppcheck >/dev/null || {
        echo "cppcheck is not installed: not run"
        return 0
    }
    mkdir -p "$stamps/cppcheck"
    cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
        --cppcheck-build-dir="$stamps/cppcheck" -j "$jobs" --suppressions-list=tools/cppcheck.txt -I src -I "$build" \
        -D_GNU_SOURCE src || status=1
}

if [ "${1-}" != analyzers ]; then
    meson test -C "$build" --no-rebuild --suite lint --print-errorlogs || status=1
elif ! command -v clang-tidy >/dev/null && ! command -v cppcheck >/dev/null; then
    echo "skipped: neither clang-tidy nor cppcheck is installed"
    exit 77
fi
run_clang_tidy
run_cppcheck
exit $status
