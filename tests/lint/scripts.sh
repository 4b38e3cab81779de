#!/bin/sh
# Every script of the repository as the shell and shellcheck see it. Exit 77 where shellcheck is not installed.
set -eu
cd "${PLIMSOLL_SOURCE:-$(dirname "$0")/../..}"
command -v shellcheck >/dev/null || {
    echo "skipped: shellcheck is not installed"
    exit 77
}
scripts=$(find tools tests bench .ci packaging -type f \( -name '*.sh' -o -path .ci/run \) 2>/dev/null | sort)
for script in $scripts; do
    sh -n "$script"
done
# shellcheck disable=SC2086
shellcheck $scripts "${PLIMSOLL_BUILD:-build}/tools/plimsoll"
echo "$scripts" | wc -l
