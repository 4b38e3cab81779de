#!/bin/sh
# Writes every machine-readable report of the fixtures and has them judged by other people's validators.
#     report_formats.sh TEST_REPORT_PROGRAM
set -eu
dir=${PLIMSOLL_BUILD:-build}/report-formats
mkdir -p "$dir"
"$1" --write "$dir"
exec "$(dirname "$0")/validate_reports.sh" "$dir"/*
