#!/bin/sh
# Judges machine-readable reports by other people's validators:
#     validate_reports.sh FILE...
#   *.cdx.json  CycloneDX 1.6, strictly, by @cyclonedx/cyclonedx-library
#   *.sarif     the SARIF 2.1.0 schema, and Microsoft's multitool with GitHub's rules (on x86-64)
#   *.json      doc/report.schema.json, by ajv
# The validators come from npm into a folder below the build folder (PLIMSOLL_BUILD, else ./build), never into the
# sources. Exit 0: all valid; 1: some are not; 77 (skipped), saying why, where npm or the network is missing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
schema=$here/../../doc/report.schema.json
cache=${PLIMSOLL_BUILD:-build}/report-validators
packages="@cyclonedx/cyclonedx-library@10.3.0 ajv@8.17.1 ajv-formats@3.0.1 ajv-formats-draft2019@1.6.1
@microsoft/sarif-multitool-linux@5.7.0"

skip() {
    echo "validate_reports: skipped: $*"
    exit 77
}

command -v npm >/dev/null || skip "npm is not installed"
command -v node >/dev/null || skip "node is not installed"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || skip "node $(node --version) is too old: 18 is wanted"
mkdir -p "$cache"
if [ ! -e "$cache/complete" ]; then
    echo "validate_reports: fetching validators into $cache"
    # Without a network it gives up soon.
    # shellcheck disable=SC2086
    (cd "$cache" && timeout 240 npm install --fetch-retries=1 --fetch-timeout=30000 --no-save --no-audit --no-fund --ignore-scripts --prefix . $packages) >"$cache/npm.log" 2>&1 ||
        skip "npm could not fetch the validators ($cache/npm.log)"
    chmod +x "$cache/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    touch "$cache/complete"
fi

cat >"$cache/validate.js" <<'EOF'
const fs = require('fs');
const path = require('path');
const cdx = require('@cyclonedx/cyclonedx-library');
const Ajv = require('ajv/dist/2020');
const formats = require('ajv-formats');

const [schemaFile, ...files] = process.argv.slice(2);
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const compile = (ajv, file) => { formats(ajv); return ajv.compile(read(file)); };
const own = compile(new Ajv({ strict: false, allErrors: true }), schemaFile);
const multitool = path.dirname(require.resolve('@microsoft/sarif-multitool-linux/package.json'));
const sarif = compile(new Ajv({ strict: false, allErrors: true }), path.join(multitool, 'sarif-2.1.0.json'));
const bom = new cdx.Validation.JsonStrictValidator(cdx.Spec.Version.v1dot6);

/* References of a BOM that lead nowhere or are given twice: no schema sees them. */
function bomReferences(doc) {
  const given = [], used = [];
  const component = (c) => { if (c && c['bom-ref']) given.push(c['bom-ref']); };
  component(doc.metadata.component);
  (doc.components || []).forEach(component);
  (doc.vulnerabilities || []).forEach((v) => {
    component(v);
    (v.affects || []).forEach((a) => used.push(a.ref));
  });
  (doc.dependencies || []).forEach((d) => used.push(d.ref, ...(d.dependsOn || [])));
  (doc.compositions || []).forEach((c) => used.push(...(c.assemblies || [])));
  const set = new Set(given);
  const errors = set.size === given.length ? [] : ['a bom-ref is given twice'];
  return errors.concat(used.filter((ref) => !set.has(ref)).map((ref) => `no component has the bom-ref ${ref}`));
}

/* What GitHub refuses and no schema says. */
function sarifDemands(doc) {
  const errors = [], ids = new Set();
  for (const run of doc.runs) {
    const rules = run.tool.driver.rules.map((rule) => rule.id);
    if (new Set(rules).size !== rules.length) errors.push('a rule is there twice');
    if (run.results.length > 25000) errors.push('over 25,000 results');
    if (ids.has(run.automationDetails.id)) errors.push(`two runs are ${run.automationDetails.id}`);
    ids.add(run.automationDetails.id);
    const prints = run.results.map((result) => result.partialFingerprints.primaryLocationLineHash);
    if (new Set(prints).size !== prints.length) errors.push('a fingerprint is there twice');
    for (const result of run.results) {
      const place = result.locations[0].physicalLocation;
      if (rules[result.ruleIndex] !== result.ruleId) errors.push(`${result.ruleId}: ruleIndex is wrong`);
      if (/^\/|^[a-z]+:|\.\.\//i.test(place.artifactLocation.uri)) errors.push(`not relative: ${place.artifactLocation.uri}`);
      if (!(place.region.startLine >= 1)) errors.push('startLine is below 1');
    }
    for (const rule of run.tool.driver.rules) {
      const score = rule.properties['security-severity'];
      if (score !== undefined && (typeof score !== 'string' || !(Number(score) > 0 && Number(score) <= 10)))
        errors.push(`${rule.id}: security-severity ${score}`);
      if (rule.properties.tags.length > 20) errors.push(`${rule.id}: over 20 tags`);
    }
  }
  return errors;
}

async function judge(file) {
  const words = (errors) => (errors || []).map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
  const text = fs.readFileSync(file, 'utf8');
  if (file.endsWith('.cdx.json')) return words(await bom.validate(text)).concat(bomReferences(JSON.parse(text)));
  if (file.endsWith('.sarif')) return sarif(JSON.parse(text)) ? sarifDemands(JSON.parse(text)) : words(sarif.errors);
  return own(JSON.parse(text)) ? [] : words(own.errors);
}

(async () => {
  let bad = 0;
  for (const file of files) {
    let errors;
    try { errors = await judge(file); } catch (error) { errors = [String(error)]; }
    console.log(`${errors.length ? 'INVALID' : 'valid  '} ${file}`);
    errors.slice(0, 10).forEach((error) => console.log(`        ${error}`));
    bad += errors.length > 0;
  }
  process.exit(bad ? 1 : 0);
})();
EOF

status=0
NODE_PATH=$cache/node_modules node "$cache/validate.js" "$schema" "$@" || status=1

multitool=$cache/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
if [ "$(uname -m)" != x86_64 ]; then
    echo "validate_reports: GitHub's rules not tried: the multitool is for x86-64 only"
    exit $status
fi
for file in "$@"; do
    case $file in *.sarif) ;; *) continue ;; esac
    if [ "$(wc -c <"$file")" -gt 500000 ]; then
        echo "not tried $file (GitHub's rules): the multitool takes many minutes over files of this size"
        continue
    fi
    output=$(DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$multitool" validate "$file" --rule-kind "Sarif;Ghas" 2>&1) || {
        case $output in
        *": error "*) ;;
        *)
            echo "validate_reports: GitHub's rules not tried: the multitool does not run here: $output"
            exit $status
            ;;
        esac
    }
    if printf '%s\n' "$output" | grep ': error '; then
        echo "INVALID $file (GitHub's rules)"
        status=1
    else
        echo "valid   $file (GitHub's rules)"
    fi
done
exit $status
