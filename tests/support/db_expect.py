#!/usr/bin/env python3
"""A second reading of advisory feeds, in plain words and another language, to compare the importers with.

    db_expect.py FEEDS FEED

prints one line a platform: name, packages with an entry, facts, and the sum of the CRC-32 of each fact's line
(package, id, range, introduced, fixed, last, status, severity, module, unreleased), tab-separated, modulo 2**32; and
"vulns", their count and the sum over (id, severity, source, score*10, vector, kev).
Facts that repeat are counted once, as in the advisory file. Needs the zstd program for .tar.zst."""

import collections
import gzip
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
import zlib

CVE = re.compile(r"CVE-\d{4}-\d{4,}")
SEVERITY = {"critical": "critical", "important": "high", "high": "high", "moderate": "medium", "medium": "medium",
            "low": "low", "negligible": "info", "unimportant": "info"}
DEBIAN = dict(woody="3.0", sarge="3.1", etch="4", lenny="5", squeeze="6", wheezy="7", jessie="8", stretch="9", buster="10",
              bullseye="11", bookworm="12", trixie="13", forky="14", sid="sid")
UBUNTU = dict(dapper="6.06", edgy="6.10", feisty="7.04", gutsy="7.10", hardy="8.04", intrepid="8.10", jaunty="9.04",
              karmic="9.10", lucid="10.04", maverick="10.10", natty="11.04", oneiric="11.10", precise="12.04",
              quantal="12.10", raring="13.04", saucy="13.10", trusty="14.04", utopic="14.10", vivid="15.04", wily="15.10",
              xenial="16.04", yakkety="16.10", zesty="17.04", artful="17.10", bionic="18.04", cosmic="18.10",
              disco="19.04", eoan="19.10", focal="20.04", jammy="22.04")

packages = collections.defaultdict(set)
facts = collections.defaultdict(set)
vulns = {}


def fact(platform, package, id, range="span", introduced="", fixed="", last="", status="affected", severity="unknown",
         module="", unreleased=0, advisory=""):
    packages[platform].add(package)
    facts[platform].add((package, id, range, introduced, fixed, last, status, severity, module, str(unreleased), advisory))


def members(path):
    if path.endswith(".zip"):
        z = zipfile.ZipFile(path)
        for n in z.namelist():
            if not n.endswith("/"):
                yield n, z.read(n)
        return
    data = subprocess.run(["zstd", "-dc", "--long=27", path], stdout=subprocess.PIPE, check=True).stdout
    t = tarfile.open(fileobj=io.BytesIO(data))
    for m in t:
        if m.isfile():
            yield m.name, t.extractfile(m).read()


def debian_json(path):
    for package, cves in json.load(gzip.open(path)).items():
        packages["debian:12"].add(package)
        for id, c in cves.items():
            for release, r in c["releases"].items():
                assert r["status"] == "resolved"
                fact("debian:" + DEBIAN[release], package, id, fixed=r["fixed_version"],
                     severity=SEVERITY.get(r["urgency"], "unknown"))


def debian_lists(path):
    state = {"<unfixed>": "affected", "<no-dsa>": "affected", "<removed>": "affected", "<not-affected>": "not_affected",
             "<ignored>": "will_not_fix", "<postponed>": "fix_deferred", "<end-of-life>": "end_of_life",
             "<undetermined>": "under_investigation"}
    for name, text in members(path):
        if not re.search(r"/(DSA|DLA|DTSA)/list$", name):
            continue
        for line in text.decode("utf8", "replace").split("\n"):
            m = re.match(r"\[.*?\]\s+(\S+)(.*)", line)
            if m:
                id, cves = m.group(1), []
                other = re.search("new (upstream|timezone|package)|database update|bugfix|regression|end of (life|support)|"
                                  "end-of-life|switch to| - update$", m.group(2).lower())
                continue
            line = line.strip()
            if line.startswith("{"):
                cves = CVE.findall(line)
            m = re.match(r"(?:\[(\w+)\]\s*)?- (\S+)\s*(\S*)(.*)$", line)
            if not m or (m.group(1) or "sid") not in DEBIAN:
                continue
            version, words = m.group(3) or "<unfixed>", re.split(r"[(); ]+", m.group(4))
            severity = next((SEVERITY[w] for w in words if w in SEVERITY and w not in ("important", "moderate")), "unknown")
            tag = state.get(version) if version[0] == "<" else "affected"
            revision = re.fullmatch(r"[A-Z]+-\d+-(\d+)", id)
            if not cves and (other or revision and revision.group(1) != "1"):
                continue
            for one in cves or [id]:
                fact("debian:" + DEBIAN[m.group(1) or "sid"], m.group(2), one,
                     range="none" if tag == "not_affected" else "span", fixed="" if version[0] == "<" else version,
                     status=tag, severity=severity, advisory="" if one == id else id)


END_OF_LIFE = re.compile("end-of-life|end of life|eol|standard support|esm criteria|out of support|end of support")
NOTHING = re.compile("not compiled|not-compiled|not-present|not present|not affected|not-affected|not vulnerable|not an "
                     "issue|no security impact|duplicate|rejected|reject |not configured|specific|not possible|is not used|"
                     "not a security|uses system|no security issue|supplied by|does not process|no longer process")


def ubuntu(path):
    for name, text in members(path):
        if not re.search(r"(^|/)(active|retired|ignored)/CVE-\d{4}-\d{4,}$", name):
            continue
        text = text.decode("utf8", "replace")
        id = re.search(r"^Candidate:\s*(\S+)", text, re.M)
        if not id or not CVE.fullmatch(id.group(1)):
            continue
        priority = dict(re.findall(r"^Priority(_\S+?)?:[ \t]*(\S+)", text, re.M))
        for release, esm, package, value in re.findall(r"^([a-z]+)(/esm)?_(\S+?):[ \t]*(.*)$", text, re.M):
            if release not in UBUNTU or not value.strip():
                continue
            platform = "ubuntu:" + UBUNTU[release] + (":esm" if esm else "")
            word, _, rest = value.strip().partition(" ")
            rest = rest.strip().strip("()").lower() if word == "ignored" else rest.strip()
            version = re.match(r"\(?\[?([^\s\])]*\d[^\s\]),]*)", rest)
            version = version.group(1) if version else ""
            f = {}
            if word == "released" and version:
                f = dict(fixed=version)
            elif word == "pending":
                f = dict(fixed=version, unreleased=int(version != ""))
            elif word in ("needed", "active", "in-progress"):
                f = dict(status="affected")
            elif word == "deferred":
                f = dict(status="fix_deferred")
            elif word == "needs-triage":
                f = dict(status="under_investigation")
            elif word == "ignored" and END_OF_LIFE.search(rest):
                f = dict(status="end_of_life")
            elif word == "ignored" and not NOTHING.search(rest):
                f = dict(status="will_not_fix")
            if f:
                p = priority.get("_%s_%s%s" % (package, release, esm), priority.get("_" + package, priority.get("", "")))
                fact(platform, package, id.group(1), severity=SEVERITY.get(p, "unknown"), **f)


def secdb(path):
    d = json.load(open(path))
    platform = "alpine:" + d["distroversion"][1:] if "distroversion" in d else "wolfi"
    lists = [(p["pkg"]["name"], v, ids) for p in d["packages"] or [] for v, ids in (p["pkg"].get("secfixes") or {}).items()]
    packages[platform].update(p["pkg"]["name"] for p in d["packages"] or [])
    cve_of, alone = {}, set()

    def left_over(ids):
        ghsas = [i for i in ids if i.startswith("GHSA-")]
        taken = {cve_of.get(g) for g in ghsas}
        return ([i for i in ids if CVE.fullmatch(i) and i not in taken],
                [g for g in ghsas if cve_of.get(g) not in ids and g not in alone])

    for _ in range(2):
        for _, _, ids in lists:
            cves, ghsas = left_over(ids)
            if len(cves) == 1 and len(ghsas) == 1:
                cve_of.setdefault(ghsas[0], cves[0])
            if not cves:
                alone.update(g for g in ghsas if g not in cve_of)
    for package, version, ids in lists:
        cves, ghsas = left_over(ids)
        for item in ids:
            if item.startswith("GHSA-") and (cve_of[item] in ids if item in cve_of else
                                             item not in alone and len(ghsas) <= len(cves)):
                continue
            item = re.sub("^CVE[ _]", "CVE-", item)
            found = CVE.findall(item)
            others = [w for w in item.split() if re.fullmatch(r"(XSA|TALOS|GHSA|ZBX|wnpa)-[\w-]+", w)]
            for one in found or others[:1]:
                fact(platform, package, one, range="none" if version == "0" else "span",
                     fixed="" if version == "0" else version, status="not_affected" if version == "0" else "affected",
                     advisory=others[0] if found and others else "")


def almalinux(path):
    for name, text in members(path):
        o = json.loads(text)
        cves = sorted({r for r in o.get("related") or [] if CVE.fullmatch(r)})
        if not cves and o["id"][:4] != "ALSA":
            continue
        word = o["summary"].split(":")[0].lower()
        builds = collections.defaultdict(list)
        for a in o["affected"]:
            fixed = a["ranges"][0]["events"][1]["fixed"]
            assert a["ranges"][0]["events"][0] == {"introduced": "0"} and len(a["ranges"]) == 1
            builds[a["package"]["ecosystem"], a["package"]["name"]].append(fixed)
        for (ecosystem, package), versions in builds.items():
            versions = sorted(set(versions))
            keep = [v for v in versions
                    if not any(v != w and (v.startswith(w) or ".module" in v and ".module" in w and w < v and
                                           v.split(".module")[0] == w.split(".module")[0]) for w in versions)]
            streams = re.findall(r"(?<!\S)([\w.+-]+:[\w.+-]+)(?:/\S+)?(?!\S)", o["summary"].replace(",", ""))
            for v in keep:
                for module in (streams or ["*"]) if ".module" in v else [""]:
                    for id in cves or [o["id"]]:
                        fact("almalinux:" + ecosystem.split(":")[1], package, id, fixed=v, severity=SEVERITY.get(word,
                             "unknown"), module=module, advisory="" if id == o["id"] else o["id"])


def go(path):
    for name, text in members(path):
        o = json.loads(text)
        if o.get("withdrawn"):
            continue
        ids = sorted({a for a in o.get("aliases") or [] if CVE.fullmatch(a)}) or [o["id"]]
        for a in o["affected"]:
            for r in a["ranges"]:
                at = None
                spans = []
                for e in r["events"]:
                    if "introduced" in e:
                        if at is not None:
                            spans.append((at, ""))
                        at = "" if e["introduced"] == "0" else e["introduced"]
                    else:
                        spans.append((at, e["fixed"]))
                        at = None
                if at is not None:
                    spans.append((at, ""))
                for lo, hi in spans:
                    for id in ids:
                        fact("Go", a["package"]["name"], id, introduced=lo, fixed=hi, advisory="" if id == o["id"] else o["id"])


def kev(path):
    for v in json.load(open(path))["vulnerabilities"]:
        vulns[v["cveID"]] = ("unknown", "", "", "", "1")


def cve5(path):
    for name, text in members(path):
        o = json.loads(text)
        if o["cveMetadata"]["state"] != "PUBLISHED":
            continue
        rated = None
        for who, c in [("cna", o["containers"].get("cna", {}))] + [
                ((lambda n: n if n.endswith("-adp") else n + "-adp")(a["providerMetadata"]["shortName"].lower()), a)
                for a in o["containers"].get("adp", [])]:
            for key in ("cvssV3_1", "cvssV3_0", "cvssV4_0", "cvssV2_0"):
                m = [m[key] for m in c.get("metrics") or [] if key in m]
                if m and not rated:
                    score = m[0]["baseScore"]
                    word = m[0].get("baseSeverity", "").lower()
                    word = SEVERITY.get(word) or ("info" if score == 0 else "low" if score < 4 else "medium" if score < 7
                                                  else "high" if score < 9 else "critical")
                    rated = (word, who, str(round(score * 10)), m[0].get("vectorString", ""), "0")
        cwes = "cweId" in json.dumps(o)
        if rated or o["cveMetadata"].get("datePublished") or cwes:
            vulns[o["cveMetadata"]["cveId"]] = rated or ("unknown", "", "", "", "0")


def crc(rows):
    return sum(zlib.crc32("\t".join(r).encode()) for r in rows) & 0xffffffff


READERS = {"debian-json": debian_json, "debian-lists": debian_lists, "ubuntu": ubuntu, "secdb": secdb,
           "almalinux": almalinux, "go": go, "kev": kev, "cve5": cve5}

if __name__ == "__main__":
    READERS[sys.argv[2]](sys.argv[1])
    if len(sys.argv) > 3:  # to look at a difference: every fact
        for platform in sorted(facts):
            for row in sorted(facts[platform]):
                print(platform, *row, sep="\t")
        sys.exit()
    for platform in sorted(packages):
        print(platform, len(packages[platform]), len(facts[platform]), crc(facts[platform]), sep="\t")
    if vulns:
        print("vulns", len(vulns), crc([(k,) + v for k, v in vulns.items()]), sep="\t")
