#!/usr/bin/env python3
"""Flags, variables, configuration, exit codes, ignores and outputs, on a real package list."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

ROOT = os.path.join(SHARED, "inventories", "debian-12")


def fs(*args, **kw):
    if not os.path.isdir(ROOT):
        raise Skip("../shared/inventories is missing")
    return run("fs", ROOT, *args, **kw)


def report(*args, **kw):
    r = fs("-f", "json", *args, **kw)
    check(r.code in (0, 1), r.err)
    return r.json()


def shown(r):
    return [f for t in r["targets"] for f in t["findings"] if not f.get("suppressed")]


def test_exit_codes():
    equal(fs().code, 0)
    equal(fs("--fail-on", "high").code, 1)
    r = fs("--fail-on", "critical", "--unrated", "low")
    check(r.code in (0, 1), r.err)
    equal(fs("--fail-on", "nonsense").code, 2)
    equal(fs("--fail-on", 'finding.severity >= HIGH').code, 2)
    equal(fs("--exit-code", "7").code, 7)
    equal(fs("--exit-code", "7", "--severity", "info").code, 0)
    equal(fs("--exit-code", "x").code, 2)
    equal(fs("--strict").code, 3)
    equal(fs("--no-such-flag").code, 2)
    equal(fs("--scanners", "secret").code, 2)
    equal(fs("--db", "/does/not/exist").code, 4)
    equal(run("nonsense").code, 2)
    equal(run("engine").code, 2)
    equal(run().code, 2)
    equal(run("image").code, 2)
    equal(run("fs", "/does/not/exist").code, 4)
    equal(fs("-f", "xml").code, 2)


def test_peers_flags_are_named():
    for flag, word in (("--only-fixed", "--ignore-unfixed"), ("--skip-db-update", "not needed"), ("--input", "TARGET"),
                       ("--security-checks", "--scanners")):
        r = fs(flag)
        equal(r.code, 2)
        check(word.lower() in r.err.lower(), r.err)


def test_the_gate_sees_what_the_filter_hides():
    r = fs("--severity", "critical", "--fail-on", "low", "-f", "json")
    equal(r.code, 1)
    gate = r.json()["summary"]["gate"]
    equal((gate["asked"], gate["result"]), ("low", "fail"))
    r = fs("--severity", "low", "-f", "table")
    check("unrated" in r.out, r.out)


def test_flag_beats_variable_beats_file():
    with Folder() as d:
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write("fail-on: high\nformat: json\nskip-dirs: [tmp]\n")
        equal(fs(cwd=d).code, 1)
        check(fs(cwd=d).out.startswith("{"), "format of the file")
        equal(fs(cwd=d, env={"PLIMSOLL_FAIL_ON": "nonsense"}).code, 2)
        equal(fs("--fail-on", "critical", "--unrated", "low", cwd=d, env={"PLIMSOLL_FAIL_ON": "nonsense"}).code in (0, 1), True)
        check(not fs("-f", "table", cwd=d).out.startswith("{"), "flag over file")
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write("fail_on: high\n")
        r = fs(cwd=d)
        check(r.code == 2 and ".plimsoll.yaml:1" in r.err, r.err)
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write("fail-on: [high\n")
        equal(fs(cwd=d).code, 2)
        equal(fs("--config", d + "/none.yaml").code, 2)


def test_ignores():
    all_ = shown(report())
    some = all_[0]["id"]
    with Folder() as d:
        with open(d + "/.trivyignore", "w") as f:
            f.write(f"# comment\n{some}\n\nCVE-1999-0001 exp:2001-01-01\n")
        r = report(cwd=d)
        check(some not in [f["id"] for f in shown(r)], "still shown")
        check(len(shown(r)) < len(all_), "nothing was ignored")
        suppressed = [f for t in r["targets"] for f in t["findings"] if f.get("suppressed") and f["id"] == some]
        check(suppressed and ".trivyignore:2" in suppressed[0]["suppressed"]["by"], suppressed[:1])
        os.remove(d + "/.trivyignore")
        package = all_[0]["package"]["source_name"] if "source_name" in all_[0]["package"] else all_[0]["package"]["name"]
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write(f"ignore:\n  - id: CVE-20*\n    package: {package}\n    reason: not used\n    until: 2999-01-01\n")
        r = report(cwd=d)
        left = [f for f in shown(r) if package in (f["package"]["name"], f["package"].get("source_name"))]
        equal([f for f in left if f["id"].startswith("CVE-20")], [])
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write(f"ignore:\n  - id: CVE-20*\n    package: {package}\n    until: 2001-01-01\n")
        equal(len(shown(report(cwd=d))), len(all_), "an expired ignore")
        with open(d + "/.plimsoll.yaml", "w") as f:
            f.write("ignore:\n  - {id: x, colour: red}\n")
        equal(fs(cwd=d).code, 2)
        equal(fs("--ignorefile", d + "/none").code, 2)


def test_the_builtin_ignore_of_kernel_headers():
    r, without = report(), report("--no-builtin-ignores")
    builtin = [f for t in r["targets"] for f in t["findings"] if f.get("suppressed", {}).get("by") == "built-in"]
    check(all(f["package"]["name"].startswith("linux-") for f in builtin), "kernel headers only")
    equal(len(shown(without)), len(shown(r)) + len(builtin))


def test_several_outputs_at_once():
    with Folder() as d:
        r = fs("-o", f"sarif={d}/a.sarif", "-o", f"json={d}/a.json", "-o", f"cyclonedx={d}/a=b.cdx", "-o", f"{d}/table.txt")
        equal((r.code, r.out), (0, ""), r.err)
        equal(json.load(open(d + "/a.sarif"))["version"], "2.1.0")
        equal(json.load(open(d + "/a.json"))["schema"], "plimsoll.report/v1")
        equal(json.load(open(d + "/a=b.cdx"))["bomFormat"], "CycloneDX")
        check("Source" in open(d + "/table.txt").read(), "the table")
        check("\x1b" not in open(d + "/table.txt").read(), "colour in a file")
        r = fs("-o", d + "/no/such/folder/x")
        equal(r.code, 4)
        r = fs("-f", "json", "-o", "/dev/stdout")
        equal((r.code, r.json()["schema"]), (0, "plimsoll.report/v1"))


def test_a_full_disk_is_said():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    with open("/dev/full", "w") as full:
        p = subprocess.run([PROGRAM, "fs", ROOT, "--no-cache"], stdout=full, stderr=subprocess.PIPE, env=clean_env())
        equal(p.returncode, 4, p.stderr)
    r = fs("-o", "/dev/full")
    equal(r.code, 4, r.err)


def test_other_locales():
    for locale in ("C", "C.UTF-8", "tr_TR.UTF-8", "de_DE.UTF-8"):
        r = fs("-f", "json", env={"LC_ALL": locale, "LANG": locale})
        equal(len(shown(r.json())), len(shown(report())), locale)


def test_without_a_home_and_read_only():
    r = fs("-f", "json", env={"HOME": "/does/not/exist", "XDG_CACHE_HOME": "/proc/nowhere"})
    equal(r.code, 0, r.err)


def test_distro_override():
    r = report("--distro", "debian:99")
    equal(shown(r), [])
    check(any("99" in n["reason"] + n["what"] for n in not_assessed(r)), not_assessed(r))
    equal(len(shown(report("--distro", "debian:12"))), len(shown(report())))


def test_ignore_unfixed_and_status():
    r = report("--ignore-unfixed")
    check(all(f.get("fixed_version") for f in shown(r) if not f.get("hidden")), "an unfixed one")
    equal(fs("--ignore-status", "nonsense").code, 2)
    equal(fs("--ignore-status", "will_not_fix,end_of_life").code, 0)


def test_help_and_version():
    for args in (["--help"], ["-h"], ["help"], ["image", "--help"], ["fs", "-h"], ["help", "image"], ["db", "build", "--help"]):
        r = run(*args)
        equal(r.code, 0, args)
        check("Usage: plimsoll" in r.out, args)
        check(max(len(l) for l in r.out.splitlines()) <= 100, f"{args}: wide")
    r = run("--version")
    check(r.code == 0 and r.out.startswith("plimsoll "), r.out)


def test_db_commands():
    r = run("db", "status")
    equal(r.code, 0, r.err)
    check("debian:12" in r.out and "partial" in r.out, r.out)
    equal(run("db", "verify").code, 0)
    with Folder() as d:
        with open(d + "/in", "w") as f:
            f.write("1.0-1 1.0-2\n1:0 2\n1.0~rc1 1.0\n1 1\n")
        equal(run("db", "compare", "debian", stdin=open(d + "/in")).out, "<\n>\n<\n=\n")
        equal(run("db", "compare", "nonsense").code, 2)
        with open(d + "/in", "w") as f:
            f.write("1.0-1\n")
        check(run("db", "compare", "debian", stdin=open(d + "/in")).code != 0, "a malformed line")


def test_a_timeout_ends_the_scan():
    with Folder() as d:
        r, w = os.pipe()
        result = run("image", "-", "--timeout", "1s", stdin=r, timeout=30)
        os.close(w)
        equal(result.code, 4)
        check("--timeout" in result.err, result.err)
    equal(fs("--timeout", "soon").code, 2)


def test_no_sandbox_is_said():
    r = report("--no-sandbox")
    check("off" in r["sandbox"], r["sandbox"])
    equal(len(shown(r)), len(shown(report())))


def test_as_a_plain_user():
    if os.geteuid() != 0:
        raise Skip("wants root to become another user")
    if not os.path.isdir(ROOT):
        raise Skip("../shared/inventories is missing")
    with Folder() as d:
        os.chmod(d, 0o755)
        root = d + "/root"
        shutil.copytree(ROOT, root)
        secret = root + "/etc/os-release"
        os.chmod(d, 0o755)
        for p, _, files in os.walk(root):
            os.chmod(p, 0o755)
            for f in files:
                os.chmod(os.path.join(p, f), 0o644)
        program = d + "/plimsoll"
        shutil.copy(PROGRAM, program)
        db = d + "/db"
        shutil.copy(clean_env()["PLIMSOLL_DB"], db)

        def as_nobody(*args):
            p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, *args, "--db", db],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}, cwd="/")
            return Result(p.returncode, p.stdout.decode(), p.stderr.decode())
        r = as_nobody("fs", root, "-f", "json")
        equal(r.code, 0, r.err)
        equal(len(shown(r.json())), len(shown(report())))
        os.chmod(root + "/var/lib/dpkg/status", 0o600)
        r = as_nobody("fs", root, "-f", "json")
        equal(r.code, 0, r.err)
        check(any("status" in n["what"] for n in not_assessed(r.json())), not_assessed(r.json()))
        os.chmod(secret, 0o600)


main(globals())
