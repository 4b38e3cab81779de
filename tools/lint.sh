#!/bin/sh
# Everything that reads the sources without running them.
#
#     lint.sh             all: the quick tests (suite lint), then clang-tidy and cppcheck over everything
#     lint.sh analyzers   clang-tidy and cppcheck alone, over the program; 77 where neither is installed
#
# A file that clang-tidy found clean is looked at again only when it, a header or .clang-tidy changed.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
jobs=${JOBS:-2}
stamps=$build/lint
status=0

# A header or other settings make all stamps worthless.
forget() {
    mkdir -p "$stamps"
    if [ ! -e "$stamps/since" ] || [ -n "$(find src tests tools .clang-tidy \( -name '*.h' -o -name .clang-tidy \) \
        -newer "$stamps/since")" ]; then
        rm -f "$stamps"/*.ok
        touch "$stamps/since"
    fi
}

stale() { # FOLDER...: files without a stamp, or with an older one
    find "$@" -name '*.c' | sort | while read -r file; do
        stamp=$stamps/$(echo "$file" | tr / _).ok
        [ -e "$stamp" ] && [ -z "$(find "$file" -newer "$stamp")" ] || echo "$file"
    done
}

run_clang_tidy() {
    command -v clang-tidy >/dev/null || {
        echo "clang-tidy is not installed: not run"
        return 0
    }
    # clang's own flags: gcc's are not all known to it.
    [ -e build-clang/build.ninja ] || CC=clang meson setup build-clang -Dwerror=true >/dev/null || return 1
    forget
    # shellcheck disable=SC2016
    stale "$@" | xargs -r -P "$jobs" -n 1 sh -c '
        output=$(clang-tidy -p build-clang --quiet "$2" 2>/dev/null) &&
            touch "$1/$(echo "$2" | tr / _).ok" || { printf "%s\n" "$output"; exit 1; }' tidy "$stamps" ||
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

if [ "${1-}" = analyzers ]; then
    if ! command -v clang-tidy >/dev/null && ! command -v cppcheck >/dev/null; then
        echo "skipped: neither clang-tidy nor cppcheck is installed"
        exit 77
    fi
    run_clang_tidy src tools
else
    meson test -C "$build" --suite lint --print-errorlogs || status=1
    run_clang_tidy src tools tests
fi
run_cppcheck
exit $status
