#!/usr/bin/env python3
"""The swap: real lines of pipelines (swap_lines.txt) through links named trivy and grype; those of Trivy also by the living
one, where `make bench` or `make witness` has set it up with the same advisories; wrong ones also by a Grype in the PATH."""
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.environ.get("PLIMSOLL_BENCH") or os.path.join(SOURCE, "build", "bench")
TRIVY = os.path.join(BENCH, "trivy", "bin", "trivy")
SAME_FACTS = os.path.join(BENCH, "all.db")
PACKAGES = (("openssl", "3.0.9-1"), ("zlib1g", "1:1.2.13.dfsg-1"), ("bash", "5.2.15-2+b2"))
TRIVY_YAML = "format: json\noutput: from-config.json\nexit-code: 7\nseverity: [UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL]\nscan:\n  scanners: [vuln]\n"
GRYPE_YAML = """fail-on-severity: negligible
ignore:
  - vulnerability: CVE-0000-0000
    reason: not there
  - package: {name: "open.*", type: deb}
  - package: {name: bash}
  - fix-state: unknown
"""


def living():
    return os.path.exists(TRIVY) and os.path.isdir(os.path.join(BENCH, "trivy-cache", "db"))


def database():
    return SAME_FACTS if os.path.exists(SAME_FACTS) else clean_env()["PLIMSOLL_DB"]


def make_folder(d):
    """What the lines find: the image in two forms, its root, the files that they name."""
    layer = layer_tar([entry("etc", kind="dir"), entry("etc/os-release", OS_RELEASE), entry("etc/debian_version", b"12.0\n"),
                       entry("var/lib/dpkg/status", status(*PACKAGES))])
    docker_archive(d + "/app.tar", [layer])
    os.makedirs(d + "/oci")
    oci_dir(d + "/oci", [layer], [sha(layer)])
    os.makedirs(d + "/r")
    tarfile.open(fileobj=io.BytesIO(layer)).extractall(d + "/r")
    os.makedirs(d + "/empty")
    for name, text in ((".trivyignore-ci", "# none of these\nCVE-0000-0000 exp:2099-01-01\n"), ("trivy-ci.yaml", TRIVY_YAML),
                       ("grype-ci.yaml", GRYPE_YAML)):
        with open(os.path.join(d, name), "w") as f:
            f.write(text)


def links(d):
    os.makedirs(d)
    for name in ("trivy", "grype"):
        os.symlink(PROGRAM, os.path.join(d, name))
    return d


def shell(line, cwd, path, env):
    e = {k: v for k, v in clean_env(env).items() if not k.startswith(("TRIVY_", "GRYPE_"))}
    e.update(env)
    e["PATH"] = path + ":/usr/bin:/bin"
    e["HOME"] = cwd
    e.pop("XDG_CONFIG_HOME", None)
    p = subprocess.run(["sh", "-c", line], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=e,
                       timeout=300)
    return Result(p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"))


def ours(line, cwd, bin_):
    return shell(line, cwd, bin_, {"PLIMSOLL_DB": database(), "PLIMSOLL_NO_CACHE": "1"})


def theirs(line, cwd):
    """A cache of its own, with the advisories by links."""
    cache = cwd + "/../cache"
    if not os.path.isdir(cache):
        os.makedirs(cache)
        for part in ("db", "java-db"):
            os.symlink(os.path.abspath(os.path.join(BENCH, "trivy-cache", part)), os.path.join(cache, part))
    return shell(line, cwd, os.path.dirname(os.path.abspath(TRIVY)),
                 {"TRIVY_SKIP_DB_UPDATE": "true", "TRIVY_SKIP_JAVA_DB_UPDATE": "true", "TRIVY_OFFLINE_SCAN": "true",
                  "TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true", "TRIVY_CACHE_DIR": cache})


def lines():
    with open(os.path.join(HERE, "swap_lines.txt")) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                code, writes, witness, source, command = line.rstrip("\n").split("\t")
                image = "--input app.tar" if "trivy" in command else "app.tar"
                yield int(code), writes, witness, source, command.replace("{i}", image)


known_formats = {}


def has_format(name):
    """A format that this build does not have is wrong usage, before the target is looked for."""
    if name not in known_formats:
        known_formats[name] = run("image", "/no/such/file.tar", "-f", name).code != 2
    return known_formats[name]


def is_json(text, *keys):
    document = json.loads(text)
    for key in keys:
        check(key in document, f"no key {key}")
    return document


VALID = {
    "table": lambda t: check("Image" in t or "Folder" in t, t[:200]),
    "trivy-json": lambda t: is_json(t, "SchemaVersion", "ArtifactName", "ArtifactType", "Results"),
    "grype-json": lambda t: is_json(t, "matches", "source", "distro", "descriptor"),
    "sarif": lambda t: equal(is_json(t, "runs")["version"], "2.1.0"),
    "cyclonedx": lambda t: equal(is_json(t, "components")["bomFormat"], "CycloneDX"),
    "junit": lambda t: equal(xml.fromstring(t).tag, "testsuites"),
    "html": lambda t: check("<html" in t.lower(), t[:200]),
    "gitlab": lambda t: is_json(t, "version", "scan", "vulnerabilities"),
    "csv": lambda t: check(len(t.splitlines()) > 1 and "," in t, t[:200]),
}


def files(d):
    return sorted(os.path.relpath(os.path.join(p, f), d) for p, _, names in os.walk(d) for f in names
                  if not os.path.relpath(p, d).startswith((".trivycache", ".cache", ".config")))


def run_line(command, call):
    """In a fresh folder: the result, and what it wrote."""
    with Folder() as d:
        work = d + "/job"
        os.makedirs(work)
        make_folder(work)
        before = files(work)
        r = call(command, work)
        written = {f: open(os.path.join(work, f), "rb").read().decode("utf-8", "replace")
                   for f in files(work) if f not in before}
    return r, written


def check_written(writes, r, written):
    wanted = [w.split(":") for w in writes.split(",")] if writes != "-" else []
    for fmt, name in wanted:
        text = r.out if name == "-" else written.get(name)
        check(text is not None, f"{name} was not written: {sorted(written)}")
        VALID[fmt](text)
    equal(sorted(written), sorted(n for _, n in wanted if n != "-"), "files")


def judge(code, writes, command, bin_):
    r, written = run_line(command, lambda line, cwd: ours(line, cwd, bin_))
    waits = [w.split(":")[0] for w in writes.split(",") if w != "-" and not has_format(w.split(":")[0])]
    if waits:
        equal(r.code, 2, f"{command}: without the format {waits}: {r.err}")
        check(waits[0] in r.err or "format" in r.err, r.err)
        return waits[0]
    equal(r.code, code, f"{command}: {r.err}{r.out[-300:]}")
    check_written(writes, r, written)
    return None


def all_ours(wanted):
    done, waiting = 0, {}
    with Folder() as d:
        bin_ = links(d + "/bin")
        for code, writes, witness, source, command in lines():
            if not wanted(witness, source):
                continue
            lacks = judge(code, writes, command, bin_)
            if lacks:
                waiting[lacks] = waiting.get(lacks, 0) + 1
            done += 1
    return done, waiting


def test_lines_give_what_they_promise():
    done, waiting = all_ours(lambda witness, source: witness != "refused" and source != "wrong")
    check(done >= 40, f"{done} lines")
    print(f"     {done} lines" + "".join(f"; {n} of them wait for the format {f}" for f, n in waiting.items()))


def test_what_cannot_be_given_its_meaning_exits_2_and_says_so():
    with Folder() as d:
        bin_ = links(d + "/bin")
        for code, _, witness, _, command in lines():
            if witness != "refused":
                continue
            r, written = run_line(command, lambda line, cwd: ours(line, cwd, bin_))
            equal(r.code, 2, f"{command}: {r.err}")
            check("meaning" in r.err or "can read" in r.err, f"{command}: {r.err}")
            equal(written, {}, command)


def test_wrong_lines_exit_as_the_peer_does():
    done, _ = all_ours(lambda witness, source: source == "wrong")
    check(done >= 15, done)


KEYS = {"trivy-json": ("Results", 0, "Vulnerabilities", 0), "sarif": ("runs", 0, "results", 0), "cyclonedx": ()}


def keys_of(text, path):
    """The keys at the first thing of each kind, from the top on."""
    node, found = json.loads(text), []
    for step in (*path, None):
        if isinstance(node, dict):
            found.append(set(node))
        if step is None:
            break
        node = node[step]
    return found


def pairs(text):
    return sorted((v["PkgName"], v["VulnerabilityID"]) for r in json.loads(text).get("Results") or []
                  for v in r.get("Vulnerabilities") or [])


# What Trivy writes and our reports of that form have no facts for.
NOT_HERE = {"properties", "ReportID", "Trivy", "CreatedAt", "Metadata", "DataSource", "PublishedDate", "LastModifiedDate", "Description", "CweIDs",
            "References", "VendorIDs", "VendorSeverity", "CVSS", "Fingerprint", "ArtifactID", "vulnerabilities", "dependencies",
            "originalUriBaseIds", "columnKind", "Title", "SeveritySource", "PrimaryURL", "FixedVersion", "Packages", "Status"}


def compare(fmt, mine, other, command):
    for a, b in zip(keys_of(mine, KEYS[fmt]), keys_of(other, KEYS[fmt])):
        check(not (b - a) - NOT_HERE, f"{command}: keys that are missing: {sorted((b - a) - NOT_HERE)}")
    if fmt == "trivy-json":
        equal(pairs(mine), pairs(other), command)


def test_the_living_trivy_does_the_same():
    if not living():
        raise Skip("no living Trivy with our advisories below build/bench (make witness sets it up)")
    done = 0
    with Folder() as d:
        bin_ = links(d + "/bin")
        for code, writes, witness, _, command in lines():
            if witness != "+":
                continue
            r, written = run_line(command, lambda line, cwd: theirs(line, cwd))
            equal(r.code, code, f"the living Trivy: {command}: {r.err[-500:]}")
            done += 1
            formats = [w.split(":") for w in writes.split(",") if w != "-"]
            if any(not has_format(f) for f, _ in formats):
                continue
            mine, my_files = run_line(command, lambda line, cwd: ours(line, cwd, bin_))
            equal(mine.code, r.code, command)
            equal(sorted(my_files), sorted(written), command)
            for fmt, name in formats:
                if fmt in KEYS:
                    compare(fmt, mine.out if name == "-" else my_files[name], r.out if name == "-" else written[name], command)
    print(f"     {done} lines, also by {TRIVY}")


def test_a_living_grype_refuses_the_same():
    grype = shutil.which("grype")
    if not grype:
        raise Skip("no grype in the PATH")
    for code, _, witness, _, command in lines():
        if witness == "grype":
            r, _ = run_line(command, lambda line, cwd: shell(line, cwd, os.path.dirname(grype), {"GRYPE_CHECK_FOR_APP_UPDATE": "false"}))
            equal(r.code, code, f"the living Grype: {command}: {r.err}")


def test_what_is_left_out_is_said_even_when_quiet():
    with Folder() as d:
        bin_ = links(d + "/bin")
        os.makedirs(d + "/job")
        make_folder(d + "/job")
        r = ours("trivy image -q --input app.tar", d + "/job", bin_)
        check("secrets" in r.err and "programming languages" in r.err, r.err)
        r = ours("trivy image -q --scanners vuln --pkg-types os --input app.tar", d + "/job", bin_)
        equal((r.code, r.err), (0, ""))
        r = ours("trivy image --debug --skip-db-update --parallel 3 --scanners vuln --pkg-types os --input app.tar", d + "/job", bin_)
        check("--skip-db-update: accepted" in r.err and "--parallel: accepted" in r.err, r.err)


def test_ignore_files():
    with Folder() as d:
        bin_ = links(d + "/bin")
        work = d + "/job"
        os.makedirs(work)
        make_folder(work)

        def shown(line):
            r = ours(line, work, bin_)
            check(r.code in (0, 1, 2) and r.out, r.err)
            return {(m["artifact"]["name"], m["vulnerability"]["id"]) for m in json.loads(r.out)["matches"]}
        all_ = shown("grype app.tar -o json")
        check(all_, "the image has no findings")
        package, some = sorted(all_)[0]
        with open(work + "/.grype.yaml", "w") as f:
            f.write(f"ignore:\n  - vulnerability: {some}\n    package: {{name: '{package[:2]}.*'}}\n")
        equal(all_ - shown("grype app.tar -o json"), {(package, some)})
        equal(shown("grype app.tar -o json -c grype-ci.yaml"), {p for p in all_ if p[0] not in ("openssl", "bash")})
        equal(ours("grype app.tar -c grype-ci.yaml -q", work, bin_).code, 0 if all(p[0] in ("openssl", "bash") for p in all_) else 2)
        with open(work + "/.trivyignore", "w") as f:
            f.write("\n".join(sorted({i for _, i in all_})) + "\n")
        equal(ours("trivy image --exit-code 4 --input app.tar", work, bin_).code, 0)
        check(shown("grype app.tar -o json -c /dev/null") == all_, "Grype reads no .trivyignore")
        equal(ours("trivy image --exit-code 4 --ignorefile '' --input app.tar", work, bin_).code, 4)
        with open(work + "/.trivyignore.yaml", "w") as f:
            f.write("vulnerabilities:\n" + "".join(f"  - id: {i}\n    purls: ['pkg:deb/debian/{p}']\n    statement: why\n"
                                                   for p, i in sorted(all_)))
        equal(ours("trivy image --exit-code 4 --ignorefile .trivyignore.yaml --input app.tar", work, bin_).code, 0)


def test_every_flag_and_key_of_the_living_trivy_is_in_the_table():
    if not os.path.exists(TRIVY):
        raise Skip("no living Trivy below build/bench (make witness sets it up)")
    with open(os.path.join(SOURCE, "src", "cmd", "peer_trivy_rows.h")) as f:
        text = f.read()
    flags = set(re.findall(r'\{ "([^"]+)",', text))
    keys = set(re.findall(r'OPTION_\w+,\s*"([^"]+)"', text))
    for command in ("image", "fs", "rootfs", "clean"):
        shown = subprocess.run([TRIVY, command, "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
        missing = set(re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", shown, re.M)) - flags
        check(not missing, f"trivy {command}: {sorted(missing)}")
    with Folder() as d:
        subprocess.run([TRIVY, "image", "--generate-default-config"], cwd=d, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        path, missing = [], []
        for line in open(d + "/trivy-default.yaml"):
            m = re.match(r"( *)([a-z0-9-]+):(.*)", line)
            if m:
                path = path[:len(m.group(1)) // 4] + [m.group(2)]
                if m.group(3).strip() and ".".join(path) not in keys | {"config", "version"}:
                    missing.append(".".join(path))
        equal(missing, [])


def test_links_are_exact():
    with Folder() as d:
        for name in ("trivy-0.76", "Trivy", "grype2"):
            os.symlink(PROGRAM, os.path.join(d, name))
            p = subprocess.run([os.path.join(d, name), "--version"], stdout=subprocess.PIPE)
            check(p.stdout.startswith(b"plimsoll "), p.stdout)


def test_a_peers_timeout_exits_as_the_peer():
    """A layer that takes seconds to hash: a tar with a hole behind it."""
    with Folder() as d:
        bin_ = links(d + "/bin")
        os.makedirs(d + "/job")
        layer = layer_tar([entry("etc/os-release", OS_RELEASE)])
        size = 16 << 30
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha(b"")]}}).encode()
        manifest = json.dumps([{"Config": "c.json", "RepoTags": ["slow:1"], "Layers": ["l/layer.tar"]}]).encode()
        with open(d + "/job/slow.tar", "wb") as f:
            for name, content, length in (("c.json", config, len(config)), ("manifest.json", manifest, len(manifest)),
                                          ("l/layer.tar", layer, size)):
                info = tarfile.TarInfo(name)
                info.size = length
                f.write(info.tobuf(tarfile.GNU_FORMAT))
                f.write(content)
                f.seek((length - len(content)) + (-length % 512), os.SEEK_CUR)
            f.truncate(f.tell() + 1024)
        r = ours("trivy image --timeout 1s --input slow.tar", d + "/job", bin_)
        equal(r.code, 1, r.err)
        check("--timeout" in r.err, r.err)


main(globals())
