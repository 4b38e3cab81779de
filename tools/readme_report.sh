#!/bin/sh
# Writes the report in README.md anew from a real run over the demo's image (make demo), as a pipe sees it.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
image=$build/demo/debian-12.oci.tar
[ -e "$image" ] || {
    echo "readme_report: run make demo first" >&2
    exit 1
}
report=$(mktemp)
trap 'rm -f "$report"' EXIT
{
    echo '```'
    echo '$ plimsoll image debian-12.oci.tar --fail-on high'
    echo
    # The name as a reader would have it, and exit code 1 as it should be.
    (cd "$build/demo" && ../plimsoll image debian-12.oci.tar --fail-on high --no-cache) || [ $? = 1 ]
    echo '```'
} >"$report"
awk -v report="$report" '
    /^<!-- report: / { print; while ((getline line < report) > 0) print line; inside = 1; next }
    /^<!-- end of report -->/ { inside = 0 }
    !inside { print }
' README.md >README.md.new
mv README.md.new README.md
