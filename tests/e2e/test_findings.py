#!/usr/bin/env python3
"""With the shipped database, findings are what a plain reading of the feeds gives, recomputed here independently."""
import os
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

FEEDS = os.path.join(SHARED, "feeds")
INVENTORIES = os.path.join(SHARED, "inventories")
EXPECT = os.path.join(SOURCE, "tests", "e2e", "expect_debian.py")
TRACKER = os.path.join(FEEDS, "debian", "tracker-bookworm-from-changelogs.json.gz")


def need(*paths):
    for p in paths:
        if not os.path.exists(p):
            raise Skip(f"{os.path.basename(p)} is missing")


def triples(report):
    return sorted((f["package"]["name"], f["id"], f.get("fixed_version", "")) for t in report["targets"] for f in t["findings"])


def expected_debian(status_file):
    if not shutil.which("dpkg") and subprocess.run(["perl", "-MDpkg::Version", "-e", "1"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("neither dpkg nor Dpkg::Version to compare versions with")
    p = subprocess.run([sys.executable, EXPECT, TRACKER, status_file], stdout=subprocess.PIPE, check=True)
    return sorted(tuple(line.split()) for line in p.stdout.decode().splitlines() if line.strip())


def test_debian_12_is_a_plain_reading_of_the_feed():
    need(TRACKER, os.path.join(INVENTORIES, "debian-12"))
    root = os.path.join(INVENTORIES, "debian-12")
    report = scan("fs", root)
    expect = expected_debian(os.path.join(root, "var/lib/dpkg/status"))
    equal(len(expect), 867, "pairs in the feed")
    equal(triples(report), expect)
    counted = [n for n in not_assessed(report) if "95 of 476" in n["reason"]]
    equal(len(counted), 1, not_assessed(report))
    check(all(f["evidence"] for t in report["targets"] for f in t["findings"]), "a finding without evidence")


def test_this_systems_own_packages():
    """Real, not chosen by us: the machine that runs the test, where it is a Debian 12."""
    need(TRACKER, "/var/lib/dpkg/status")
    with open("/etc/os-release") as f:
        if 'VERSION_ID="12"' not in f.read():
            raise Skip("no Debian 12")
    with Folder() as d:
        os.makedirs(d + "/var/lib/dpkg"), os.makedirs(d + "/etc")
        shutil.copy("/var/lib/dpkg/status", d + "/var/lib/dpkg/status")
        shutil.copy("/etc/os-release", d + "/etc/os-release")
        report = scan("fs", d)
        got = [t for t in triples(report)]
        expect = expected_debian(d + "/var/lib/dpkg/status")
        third_party = {n["what"] for n in not_assessed(report)}
        # Packages of other repositories are left out with a word; everything else must be the same.
        difference = set(expect) ^ set(got)
        check(not difference or third_party, f"{sorted(difference)[:10]}")
        check(set(got) <= set(expect), sorted(set(got) - set(expect))[:10])
        listed = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"], stdout=subprocess.PIPE)
        installed = [l for l in listed.stdout.decode().splitlines() if l.startswith("installed ")]
        equal(len(packages(report)), len(installed), "packages that dpkg-query lists")


def alma_records():
    import json as j
    with zipfile.ZipFile(os.path.join(FEEDS, "osv/AlmaLinux/all.zip")) as z:
        for member in z.namelist():
            yield j.loads(z.read(member))


def test_almalinux_9_is_a_plain_reading_of_the_feed():
    """Rocky 9's list taken for AlmaLinux 9: every fixed version of the feed against the installed one by the living rpm."""
    tsv = os.path.join(INVENTORIES, "rocky-9", "packages.tsv")
    make = os.path.join(BUILD, "tests", "unit", "make_rpmdb")
    need(os.path.join(FEEDS, "osv/AlmaLinux/all.zip"), tsv, make)
    if not shutil.which("rpm"):
        raise Skip("rpm is missing")
    with open(tsv) as f:
        head, *lines = f.read().rstrip("\n").split("\n")
    titles = head.split("\t")
    rows = [dict(zip(titles, l.split("\t"))) for l in lines]
    with Folder() as d:
        os.makedirs(d + "/etc"), os.makedirs(d + "/var/lib/rpm")
        with open(d + "/etc/os-release", "w") as f:
            f.write('ID="almalinux"\nVERSION_ID="9.0"\nPRETTY_NAME="AlmaLinux 9.0"\n')
        with open(d + "/list.tsv", "w") as f:
            f.write(head + "\n" + "".join("\t".join("AlmaLinux" if t == "vendor" else r[t] for t in titles) + "\n" for r in rows))
        subprocess.run([make, "sqlite", d + "/list.tsv", d + "/var/lib/rpm/rpmdb.sqlite"], check=True)
        got = {(p, i) for p, i, _ in triples(scan("fs", d))}
    installed = {}
    for r in rows:
        installed.setdefault(r["name"], []).append(f"{r['epoch'] or 0}:{r['version']}-{r['release']}")
    wanted, questions = [], []
    for o in alma_records():
        ids = sorted({i for k in ("related", "aliases", "upstream") for i in o.get(k) or [] if i.startswith("CVE-")})
        if not ids and not o["id"].startswith("ALSA"):
            continue
        for a in o.get("affected", []):
            if a["package"]["ecosystem"] != "AlmaLinux:9" or a["package"]["name"] not in installed:
                continue
            for rng in a.get("ranges", []):
                for e in rng["events"]:
                    if "fixed" in e and ".module_" not in e["fixed"]:
                        for v in installed[a["package"]["name"]]:
                            wanted.append((a["package"]["name"], ids or [o["id"]]))
                            questions.append((v, e["fixed"]))
    lua = "for l in io.lines('%s') do local a, b = l:match('(%%S+) (%%S+)') print(rpm.vercmp(a, b) .. ' ') end"
    with Folder() as d:
        with open(d + "/q", "w") as f:
            f.write("".join(f"{a} {b if ':' in b else '0:' + b}\n" for a, b in questions))
        p = subprocess.run(["rpm", "--eval", "%{lua: " + lua % (d + "/q") + "}"], stdout=subprocess.PIPE, check=True)
    answers = p.stdout.decode().split()
    equal(len(answers), len(questions), "answers of rpm")
    expect = {(name, i) for (name, ids), answer in zip(wanted, answers) if answer == "-1" for i in ids}
    check(len(expect) > 300, f"only {len(expect)} pairs")
    equal(sorted(got), sorted(expect))


def test_the_shipped_database_takes_nothing_from_samples():
    status_text = run("db", "status").out
    for word in ("sample", "osv-derived"):
        check(word not in status_text, word)


main(globals())
