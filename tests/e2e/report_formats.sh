#!/bin/sh
# Writes every machine-readable report of the fixtures and has them judged by other people's validators.
#     report_formats.sh TEST_REPORT_PROGRAM
set -eu
dir=${PLIMSOLL_BUILD:-build}/report-formats
mkdir -p "$dir"
"$1" --write "$dir"
# Those that have a schema here: the others have their readers in test_formats.py.
set --
for file in "$dir"/*; do
    case $file in
    *.trivy.json | *.gitlab.json | *.codequality.json | *.asff.json) ;;
    *.json | *.sarif) set -- "$@" "$file" ;;
    esac
done
exec "$(dirname "$0")/validate_reports.sh" "$@"
