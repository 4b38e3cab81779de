#!/bin/sh
# All tests: with the sanitizers (where the sandbox is partly off), and as the program is shipped (with all of it);
# the other compiler; lint. What each run said is summed up at the end (check_summary.py), which decides the exit code.
# A step that fails does not keep the others from running.
set -eu
cd "$(dirname "$0")/.."
jobs=${JOBS:-2}
steps=$PWD/build/check-steps.json

step() { # NAME COMMAND...: one more result for the summary
    name=$1
    shift
    printf '\n--- %s\n' "$name"
    start=$(date +%s)
    status=0
    "$@" || status=$?
    case $status in 0) result=OK ;; 77) result=SKIP ;; *) result=FAIL ;; esac
    printf '{"name": "%s", "result": "%s", "duration": %d, "returncode": %d, "stdout": ""}\n' \
        "$name" "$result" "$(($(date +%s) - start))" "$status" >>"$steps"
    return "$status"
}

build() { # FOLDER MESON-OPTION...
    folder=$1
    shift
    log=$folder.log
    if ! { { [ -e "$folder/build.ninja" ] || meson setup "$folder" "$@"; } >"$log" 2>&1 &&
        ninja -C "$folder" -j "$jobs" >>"$log" 2>&1; }; then
        grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 60
        return 1
    fi
    grep -E 'warning:' "$log" || true
    rm -f "$log"
}

run_tests() { # FOLDER MESON-OPTION...: the summary reads what came of it
    folder=$1
    shift
    printf '\n--- tests in %s\n' "$folder"
    meson test -C "$folder" --no-rebuild --num-processes "$jobs" "$@" || true
}

clang_compiles() {
    command -v clang >/dev/null || {
        echo "clang is not installed"
        return 77
    }
    CC=clang build build-clang -Dwerror=true
}

mkdir -p build
: >"$steps"
rm -f build/meson-logs/testlog.json build-asan/meson-logs/testlog.json

if step "build with sanitizers" build build-asan -Db_sanitize=address,undefined -Db_lundef=false -Dwerror=true; then
    # What compares with other programs for minutes runs once, below.
    run_tests build-asan --no-suite slow --no-suite lint
fi
if step "build" build build --buildtype=release; then
    run_tests build
fi
step "compile with clang" clang_compiles || true
step "clang-tidy and cppcheck" env BUILD=build JOBS="$jobs" tools/lint.sh analyzers || true

printf '\n'
exec python3 tools/check_summary.py build-asan/meson-logs/testlog.json build/meson-logs/testlog.json "$steps"
