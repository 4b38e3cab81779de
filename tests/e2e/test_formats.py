#!/usr/bin/env python3
"""Output formats as their own readers see them, `plimsoll report`, and Trivy's JSON beside that of a living Trivy.

Readers come from PyPI into the build folder (junitparser, html5lib, markdown-it-py); where they cannot be had, their test
skips and says so. GitLab's schema is not theirs to be had from a registry: its rules are written down here as facts (15.0.7).
"""
import csv
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

FORMATS = ["table", "json", "sarif", "cyclonedx", "trivy-json", "gitlab", "gitlab-codequality", "asff", "junit", "csv",
           "markdown", "html"]
GOLDEN = os.path.join(SOURCE, "tests", "golden")


def folder(name):
    path = os.path.join(BUILD, "e2e-formats", name)
    os.makedirs(path, exist_ok=True)
    return path


def image():
    """A small image with findings."""
    path = os.path.join(folder("image"), "app.tar")
    layer = layer_tar([entry("etc/os-release", b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
                       entry("etc/debian_version", b"12.1\n"),
                       entry("var/lib/dpkg/status", status(("apt", "2.6.1"), ("zlib1g", "1:1.2.13.dfsg-1")) +
                             b"Package: perl-base\nStatus: install ok installed\nSource: perl\nArchitecture: amd64\n"
                             b"Maintainer: A B <a@b.example>\nVersion: 5.36.0-7+deb12u3\n\n")])
    docker_archive(path, [layer], config_extra={
        "created": "2026-01-01T00:00:00Z", "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "ADD x"},
                                                       {"created_by": "ENV A=B", "empty_layer": True}],
        "config": {"Cmd": ["/bin/sh"], "Env": ["TOKEN=swordfish"], "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}},
                   "User": "nobody", "WorkingDir": "/srv"}})
    return path


def stored():
    path = os.path.join(folder("image"), "stored.json")
    r = run("image", image(), "-f", "json", "--list-all-pkgs", "-o", path)
    assert r.code == 0, r.err
    return path


def modules(*names):
    """Readers from PyPI, in an environment of their own."""
    home = os.path.join(BUILD, "e2e-formats", "readers")
    python = os.path.join(home, "bin", "python")
    try:
        if not os.path.exists(os.path.join(home, "done")):
            subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=120, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            subprocess.run([python, "-m", "pip", "install", "-q", "junitparser", "html5lib", "markdown-it-py"], check=True,
                           timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            open(os.path.join(home, "done"), "w").close()
    except (OSError, subprocess.SubprocessError):
        raise Skip("readers from PyPI cannot be installed: " + ", ".join(names))
    return python


def ask(python, program, *files):
    p = subprocess.run([python, "-c", program, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 0, p.stderr
    return p.stdout


def golden(name):
    return [os.path.join(GOLDEN, d, name) for d in sorted(os.listdir(GOLDEN)) if os.path.exists(os.path.join(GOLDEN, d, name))]


def test_environment_is_not_in_reports():
    for f in FORMATS:
        assert "swordfish" not in run("image", image(), "-f", f, "--list-all-pkgs").out, f


def test_stored_renders_as_direct():
    path = stored()
    with open(path) as f:
        started = json.load(f)["started"]

    def plain(text):
        """Without the times at which the two scans ran."""
        text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", text)
        text = re.sub(r'("duration_ms": |testsuites [^>]*time=")[\d.]+', "DURATION", text)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "UUID", text)
        return re.sub(r"^.*digests were checked.*$\n?", "", text, flags=re.M)
    assert started
    for f in FORMATS:
        direct, again = run("image", image(), "-f", f, "--list-all-pkgs"), run("report", path, "-f", f, "--list-all-pkgs")
        assert direct.code == again.code == 0, again.err
        assert plain(direct.out) == plain(again.out), f
    with open(path, "rb") as f:
        assert run("report", "-", "-f", "csv", stdin=f).out == run("report", path, "-f", "csv").out


def test_filters_and_gate_are_asked_again():
    path = stored()
    everything = run("report", path, "-f", "csv").out.count("\n") - 1
    assert everything > 2
    assert run("report", path, "-f", "csv", "--severity", "info").out.count("\n") == 1
    assert run("report", path, "--fail-on", "high").code == 1
    assert run("report", path, "--exit-code", "7").code == 7
    assert run("report", path, "--exit-code", "7", "--severity", "info").code == 0
    assert run("report", path, "-f", "json", "--ignore-status", "fixed").code == 0


def test_what_is_no_report_is_refused():
    base = folder("bad")
    for name, text, words in (("empty", "", ""), ("list", "[]", "no report"), ("other", '{"schema":"plimsoll.report/v9"}', "v9"),
                              ("cut", open(stored()).read()[:3000], ""), ("deep", "[" * 100000, "")):
        path = os.path.join(base, name)
        with open(path, "w") as f:
            f.write(text)
        r = run("report", path, "-f", "html", "-o", path + ".html")
        assert r.code == 4 and words in r.err, (name, r.code, r.err)
        assert not os.path.exists(path + ".html"), name
    assert run("report", os.path.join(base, "missing")).code == 4
    assert run("report").code == 2
    assert run("report", stored(), "-f", "nonsense").code == 2


def test_templates():
    path = stored()
    r = run("report", path, "-f", "template", "-t", "{{ range . }}{{ range .Vulnerabilities }}{{ .PkgName }} {{ end }}{{ end }}")
    assert r.code == 0 and "perl-base" in r.out, r.err
    r = run("report", path, "-f", "template", "-t", "{{ range . }}\n{{ nofunc }}{{ end }}")
    assert r.code == 2 and "2:4" in r.err and "nofunc" in r.err, r.err
    r = run("report", path, "-f", "template", "-t", "{{ range . }}\n{{ .Nope }}{{ end }}")
    assert r.code == 2 and "2:4" in r.err, (r.code, r.err)
    assert run("report", path, "-f", "template").code == 2
    assert run("report", path, "-f", "template", "-t", "@missing/other.tpl").code == 2
    for name in ("html", "junit", "gitlab", "gitlab-codequality", "asff"):
        built_in = run("report", path, "-f", name)
        assert run("report", path, "-f", "template", "-t", f"@contrib/{name}.tpl").out == built_in.out, name
    mine = os.path.join(folder("templates"), "html.tpl")
    with open(mine, "w") as f:
        f.write("mine {{ len . }}")
    assert run("report", path, "-f", "template", "-t", "@" + mine).out == "mine 1"
    assert run("report", path, "-t", "x").code == 2


def test_csv():
    for path in golden("expect.csv"):
        with open(path, newline="") as f:
            rows = list(csv.reader(f, strict=True))
        assert {len(r) for r in rows} == {22}, path
        for cell in (c for r in rows for c in r):
            assert not cell[:1] or cell[0] not in "=+-@\t\r", cell


GITLAB = {"version": r"^\d+\.\d+\.\d+$", "time": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$", "url": r"^(https?|ftp)://.+"}


def test_gitlab():
    for path in golden("expect.gitlab.json"):
        with open(path) as f:
            d = json.load(f)
        assert re.match(GITLAB["version"], d["version"]) and isinstance(d["remediations"], list)
        scan = d["scan"]
        for who in ("analyzer", "scanner"):
            assert all(scan[who][k] for k in ("id", "name", "version")) and scan[who]["vendor"]["name"]
        assert re.match(GITLAB["time"], scan["start_time"]) and re.match(GITLAB["time"], scan["end_time"])
        assert scan["type"] == "container_scanning" and scan["status"] in ("success", "failure")
        assert all(m["level"] in ("info", "warn", "fatal") and m["value"] for m in scan["messages"])
        ids = [v["id"] for v in d["vulnerabilities"]]
        assert all(ids) and len(set(ids)) == len(ids)
        for v in d["vulnerabilities"]:
            assert len(v["name"]) <= 255 and len(v["description"]) <= 1048576 and len(v["solution"]) <= 7000
            assert v["severity"] in ("Info", "Unknown", "Low", "Medium", "High", "Critical")
            assert v["identifiers"] and all(i["type"] and i["name"] and i["value"] for i in v["identifiers"])
            assert all(re.match(GITLAB["url"], i["url"]) for i in v["identifiers"] + v["links"] if "url" in i)
            where = v["location"]
            assert where["operating_system"] and where["image"]
            assert isinstance(where["dependency"]["package"]["name"], str) and isinstance(where["dependency"]["version"], str)
            for c in v.get("cvss_vectors", []):
                assert c["vendor"] and re.match(r"^CVSS:3[.][01]/([A-Z]+:[A-Z]/)*[A-Z]+:[A-Z]$", c["vector"])
                assert 32 <= len(c["vector"]) <= 128


def test_codequality_and_asff():
    for path in golden("expect.codequality.json"):
        with open(path) as f:
            issues = json.load(f)
        assert len({i["fingerprint"] for i in issues}) == len(issues), path
        for i in issues:
            assert i["severity"] in ("info", "minor", "major", "critical", "blocker") and i["description"] and i["check_name"]
            assert not i["location"]["path"].startswith("/") and i["location"]["lines"]["begin"] >= 1
    for path in golden("expect.asff.json"):
        with open(path) as f:
            findings_ = json.load(f)
        assert len({i["Id"] for i in findings_}) == len(findings_), path
        for i in findings_:
            assert i["SchemaVersion"] == "2018-10-08" and re.match(r"^\d{12}$", i["AwsAccountId"])
            assert re.match(r"^arn:aws:securityhub:[a-z0-9-]+:\d{12}:product/\d{12}/default$", i["ProductArn"])
            assert 0 < len(i["Title"]) <= 256 and 0 < len(i["Description"]) <= 1024 and len(i["Id"]) <= 512
            assert i["Severity"]["Label"] in ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL") and i["Resources"][0]["Id"]


def test_junit():
    program = """import sys, junitparser
for path in sys.argv[1:]:
    suites = junitparser.JUnitXml.fromfile(path)
    cases = [c for s in suites for c in s]
    failed = [c for c in cases if any(isinstance(r, junitparser.Failure) for r in c.result)]
    skipped = [c for c in cases if any(isinstance(r, junitparser.Skipped) for r in c.result)]
    assert suites.tests == len(cases) and suites.failures == len(failed), path
    assert sum(s.tests for s in suites) == len(cases) and sum(s.skipped for s in suites) == len(skipped), path
    assert all(len(list(s)) for s in suites) and all(c.name is not None and c.classname is not None for c in cases), path"""
    ask(modules("junitparser"), program, *golden("expect.junit.xml"))


def test_html():
    program = """import sys, html5lib
for path in sys.argv[1:]:
    text = open(path, encoding='utf-8').read()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    names = [e.tag for e in tree.iter() if isinstance(e.tag, str)]
    assert names.count('script') == 1 and names.count('style') == 1, path
    allowed = set('html head meta title style body header h1 h2 h3 p main ul li b strong section div table thead tbody tr th td '
                  'a code span script'.split())
    assert set(names) <= allowed, set(names) - allowed
    for e in tree.iter():
        if isinstance(e.tag, str):
            assert not any(k.startswith('on') or k in ('src', 'style') for k in e.attrib), (path, e.attrib)
            assert e.attrib.get('href', 'https://').startswith(('https://', 'http://'))"""
    ask(modules("html5lib"), program, *golden("expect.html"))


def test_markdown():
    program = """import sys
from markdown_it import MarkdownIt
for path in sys.argv[1:]:
    md = MarkdownIt('commonmark', {'linkify': False}).enable('table')
    tokens = md.parse(open(path, encoding='utf-8').read())
    inline = [c for t in tokens if t.type == 'inline' for c in t.children]
    assert not any(t.type in ('html_inline', 'html_block', 'image') for t in list(tokens) + inline), path
    for c in inline:
        if c.type == 'text':
            assert not set(c.content) & set('@<>`'), (path, c.content)
        if c.type == 'link_open':
            assert c.attrs['href'].startswith(('https://', 'http://')), c.attrs
    cells = 0
    for t in tokens:
        if t.type == 'tr_open':
            cells = 0
        cells += t.type in ('td_open', 'th_open')
        if t.type == 'tr_close':
            assert cells in (4, 9), (path, cells)"""
    ask(modules("markdown-it-py"), program, *golden("expect.md"))


# --- beside a living Trivy ------------------------------------------------------------------------------------------

# Keys that Trivy writes and we do not, with the reason.
NOT_OURS = {
    ".Trivy": "names the program that wrote the report, which was not Trivy",
    ".Trivy.Version": "the same",
    ".Metadata.ImageConfig.config.Env": "people put secrets there, and reports are kept",
    ".Results[].Packages[].Licenses": "licences are not read in this version",
    ".Results[].Packages[].DependsOn": "dependencies between packages are not read in this version",
    ".Results[].Packages[].Digest": "dpkg's list of digests is not read",
    ".Results[].Packages[].InstalledFiles": "the files of a package are not read",
    ".Results[].Packages[].Repository": "which repository a package came from is not read",
    ".Results[].Packages[].Repository.Class": "the same",
    ".Results[].Vulnerabilities[].DataSource.URL": "the database keeps no address of a source",
    ".Results[].Vulnerabilities[].PublishedDate": "the database keeps no dates of vulnerabilities",
    ".Results[].Vulnerabilities[].LastModifiedDate": "the same",
}
# Keys that depend on what the databases know of a vulnerability, so that either side may have none.
FACTS = {"Title", "Description", "CVSS", "CweIDs", "References", "SeveritySource", "VendorIDs", "PrimaryURL", "Maintainer"}


def shape(o, path="", out=None):
    out = {} if out is None else out
    if isinstance(o, dict):
        for k, v in o.items():
            kind = "number" if isinstance(v, (int, float)) and not isinstance(v, bool) else type(v).__name__
            out.setdefault(f"{path}.{k}", set()).add(kind)
            shape(v, f"{path}.{k}", out)
    elif isinstance(o, list):
        for v in o:
            shape(v, path + "[]", out)
    return out


def trivy():
    program = os.environ.get("PLIMSOLL_TRIVY")
    if program:
        return program
    for place in (os.path.join(BUILD, "..", "bench", "work", "trivy", "bin", "trivy"),):
        if os.path.exists(place):
            return place
    raise Skip("no Trivy here: PLIMSOLL_TRIVY names the program, PLIMSOLL_TRIVY_CACHE its cache with a database")


def trivy_flags():
    cache = os.environ.get("PLIMSOLL_TRIVY_CACHE")
    if not cache:
        raise Skip("no database for Trivy: PLIMSOLL_TRIVY_CACHE")
    return ["--cache-dir", cache, "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan",
            "--scanners", "vuln", "--quiet", "--format", "json", "--list-all-pkgs"]


def test_trivy_json_has_the_keys_of_the_living_trivy():
    program = trivy()
    p = subprocess.run([program, "image", "--input", image()] + trivy_flags(), check=True, stdout=subprocess.PIPE)
    theirs, ours = shape(json.loads(p.stdout)), shape(run("image", image(), "-f", "trivy-json", "--list-all-pkgs").json())
    missing = {k for k in theirs if k not in ours and k not in NOT_OURS and not FACTS & set(k.replace("[]", "").split("."))}
    assert not missing, f"keys that Trivy has and we have not: {sorted(missing)}"
    wrong = {k: (theirs[k], ours[k]) for k in theirs if k in ours and theirs[k] != ours[k]}
    assert not wrong, f"types differ: {wrong}"
    extra = {k for k in ours if k not in theirs and not k.startswith(".Plimsoll") and not FACTS & set(k.replace("[]", "").split("."))}
    assert extra <= {".Metadata.Layers[].Digest"}, f"keys that Trivy has not: {sorted(extra)}"


def test_trivy_reads_our_trivy_json():
    program = trivy()
    base = folder("trivy")
    report = os.path.join(base, "ours.json")
    assert run("report", stored(), "-f", "trivy-json", "--list-all-pkgs", "-o", report).code == 0
    count = sum(len(r.get("Vulnerabilities", [])) for r in json.load(open(report))["Results"])
    for form in ("table", "json", "sarif", "cyclonedx", "spdx-json", "github"):
        p = subprocess.run([program, "convert", "--quiet", "--format", form, report], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.returncode == 0, (form, p.stderr)
        if form == "sarif":
            assert len(json.loads(p.stdout)["runs"][0]["results"]) == count
    for golden_ in golden("expect.trivy.json"):
        p = subprocess.run([program, "convert", "--quiet", "--format", "json", golden_], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.returncode == 0 or "hostile" in golden_, (golden_, p.stderr)
    # Its own templates over its own reading of our report, and ours over ours.
    template = "{{ range . }}{{ .Target }}{{ range .Vulnerabilities }}{{ .VulnerabilityID }}{{ .PkgName | printf \"%q\" }}" \
               "{{ .Severity }}{{ .PkgIdentifier.PURL }}{{ .Layer.DiffID }}{{ .Title }}{{ .CVSS }}\n{{ end }}{{ end }}"
    p = subprocess.run([program, "convert", "--quiet", "--format", "template", "--template", template, report], check=True,
                       stdout=subprocess.PIPE, text=True)
    assert p.stdout == run("report", stored(), "-f", "template", "-t", template).out


main(globals())
