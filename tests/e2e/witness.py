#!/usr/bin/env python3
"""make witness: a living Trivy 0.76 with the same facts as a second witness for findings.

For each system the pairs of binary package and vulnerability that both programs name; every difference must be
explained by a line of witness_known.txt, which says who is right and why. What is missing (Trivy, feeds) is said."""
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "bench"))
from common import *  # noqa: E402,F403

INVENTORIES = os.path.join(SHARED, "inventories")
KNOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "witness_known.txt")


def write(root, name, text):
    target = os.path.join(root, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w") as f:
        f.write(text)


def system(name, fill):
    """A root folder and, for Trivy, which reads images and folders alike, its image."""
    root = path("witness", name)
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    fill(root)
    return root


def debian_12(root):
    sh("cp", "-rL", "--no-preserve=mode", os.path.join(INVENTORIES, "debian-12") + "/.", root)
    write(root, "etc/debian_version", "12.9\n")


def ubuntu_18(root):
    write(root, "etc/os-release", 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="18.04"\nVERSION_CODENAME=bionic\n')
    write(root, "etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=18.04\nDISTRIB_CODENAME=bionic\n")
    with open(os.path.join(INVENTORIES, "ubuntu-18.04", "packages.json")) as f:
        lines = []
        for p in json.load(f):
            lines.append(f"Package: {p['Name']}\nStatus: install ok installed\nArchitecture: amd64\n"
                         f"Maintainer: Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>\n"
                         f"Source: {p['SrcName']} ({p['SrcVersion']})\nVersion: {p['Version']}\n")
    write(root, "var/lib/dpkg/status", "\n".join(lines))


def alma(version, inventory):
    def fill(root):
        write(root, "etc/os-release", f'NAME="AlmaLinux"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="{version}"\n')
        write(root, "etc/redhat-release", f"AlmaLinux release {version} (Test)\n")
        write(root, "etc/almalinux-release", f"AlmaLinux release {version} (Test)\n")
        with open(os.path.join(INVENTORIES, inventory, "packages.tsv")) as f:
            head, *rows = f.read().rstrip("\n").split("\n")
        column = head.split("\t").index("vendor")
        rows = ["\t".join(c if i != column else "AlmaLinux" for i, c in enumerate(r.split("\t"))) for r in rows]
        write(root, "packages.tsv", "\n".join([head] + rows) + "\n")
        os.makedirs(root + "/var/lib/rpm")
        sh(os.path.join(os.path.dirname(PROGRAM), "tests", "unit", "make_rpmdb"), "sqlite", root + "/packages.tsv",
           root + "/var/lib/rpm/rpmdb.sqlite")
        os.remove(root + "/packages.tsv")
    return fill


def apk_installed(packages):
    return "".join(f"C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:{n}\nV:{v}\nA:x86_64\nS:1\nI:1\nT:x\nU:x\nL:MIT\no:{o}\n\n"
                   for n, v, o in packages)


def alpine_310(root):
    """The image that Alpine made, and beside its packages those that have advisories in its release, a little too old."""
    sh("tar", "-xzf", os.path.join(INVENTORIES, "alpine-3.10", "image.tar.gz"), "-C", root)
    layer = [os.path.join(root, f) for f in os.listdir(root) if f.endswith(".tar.gz")]
    for d, _, files in os.walk(root):
        layer += [os.path.join(d, f) for f in files if f == "layer.tar"]
    inner = root + ".layer"
    shutil.rmtree(inner, ignore_errors=True)
    os.makedirs(inner)
    sh("tar", "-xf", layer[0], "-C", inner)
    shutil.rmtree(root)
    os.rename(inner, root)
    with open(root + "/lib/apk/db/installed") as f:
        there = {line[2:].strip() for line in f if line.startswith("P:")}
    with open(root + "/lib/apk/db/installed", "a") as f:
        f.write(apk_installed([p for p in older(os.path.join(SHARED, "feeds/alpine/secdb-json/v3.10/main.json"))
                               if p[0] not in there]))


def older(secdb):
    """Of every package of a secdb, some version between its fixes: (binary, version, origin)."""
    with open(secdb) as f:
        packages = json.load(f)["packages"]
    out = []
    for i, p in enumerate(packages):
        versions = sorted(v for v in (p["pkg"].get("secfixes") or {}) if v != "0")
        if versions:
            v = versions[(i * 7) % len(versions)]
            # The fixed version itself, one before it, and one after: all three sides of the comparison.
            base, _, revision = v.rpartition("-r")
            number = int(revision) if revision.isdigit() else 0
            version = [v, f"{base}-r{max(number - 1, 0)}", f"{base}-r{number + 1}"][i % 3] if base else v
            out.append((p["pkg"]["name"] + ("-libs" if i % 4 == 0 else ""), version, p["pkg"]["name"]))
    return out


def wolfi(root):
    write(root, "etc/os-release", 'ID=wolfi\nNAME="Wolfi"\nPRETTY_NAME="Wolfi"\nVERSION_ID="20230201"\n')
    write(root, "etc/apk/repositories", "")
    write(root, "lib/apk/db/installed", apk_installed(older(os.path.join(SHARED, "feeds/wolfi/security.json"))))


def ours(root):
    p = subprocess.run([PROGRAM, "fs", root, "--db", same_facts_db(), "-f", "json", "--no-builtin-ignores"], check=True,
                       stdout=subprocess.PIPE)
    return {(f["package"]["name"], f["id"]) for t in json.loads(p.stdout)["targets"] for f in t["findings"]}


def alma_cves():
    """AlmaLinux advisory -> the CVEs that it names. The converter gives Trivy the advisory's own id."""
    names = {}
    with zipfile.ZipFile(os.path.join(SHARED, "feeds/osv/AlmaLinux/all.zip")) as z:
        for member in z.namelist():
            o = json.loads(z.read(member))
            ids = {i for k in ("related", "aliases", "upstream") for i in o.get(k) or [] if i.startswith("CVE-")}
            names[o["id"]] = sorted(ids) or [o["id"]]
    return names


def theirs(root, cache):
    p = subprocess.run([trivy(), "rootfs", root, "--cache-dir", cache, "--pkg-types", "os"] + TRIVY_FLAGS, check=True,
                       stdout=subprocess.PIPE)
    names = alma_cves() if "almalinux" in root else {}
    return {(v["PkgName"], i) for r in json.loads(p.stdout).get("Results") or []
            for v in r.get("Vulnerabilities") or [] for i in names.get(v["VulnerabilityID"], [v["VulnerabilityID"]])}


def known_lines():
    with open(KNOWN) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def explain(name, side, pairs):
    """Differences by the line that explains them; those that nothing explains under None."""
    found = {}
    for pair in sorted(pairs):
        for system_glob, line_side, package, identifier, who, why in known_lines():
            if fnmatch.fnmatch(name, system_glob) and side == line_side and fnmatch.fnmatch(pair[0], package) and \
                    fnmatch.fnmatch(pair[1], identifier):
                found.setdefault((who, why), []).append(pair)
                break
        else:
            found.setdefault(None, []).append(pair)
    return found


def main():
    cache = trivy_cache() if trivy() else None
    if not cache:
        say("no witness here")
        return 77
    systems = {
        "debian-12-small": lambda: small_root(), "debian-12-large": lambda: large_root(),
        "debian-12": lambda: system("debian-12", debian_12), "ubuntu-18.04": lambda: system("ubuntu-18.04", ubuntu_18),
        "almalinux-8": lambda: system("almalinux-8", alma("8.4", "centos-8-modular")),
        "almalinux-9": lambda: system("almalinux-9", alma("9.0", "rocky-9")),
        "alpine-3.10": lambda: system("alpine-3.10", alpine_310), "wolfi": lambda: system("wolfi", wolfi),
    }
    chosen = sys.argv[1:] or list(systems)
    unexplained = 0
    for name in chosen:
        root = systems[name]()
        a, b = ours(root), theirs(root, cache)
        print(f"{name:<18} plimsoll {len(a):6}   trivy {len(b):6}   both {len(a & b):6}   "
              f"plimsoll alone {len(a - b):5}   trivy alone {len(b - a):5}")
        for side, pairs in (("plimsoll", a - b), ("trivy", b - a)):
            for reason, list_ in explain(name, side, pairs).items():
                if reason is None:
                    unexplained += len(list_)
                    print(f"    {side} alone, NOT EXPLAINED: {len(list_)}: " +
                          ", ".join(f"{p} {i}" for p, i in list_[:12]) + (" ..." if len(list_) > 12 else ""))
                else:
                    print(f"    {side} alone: {len(list_)} ({reason[0]} is right: {reason[1]}): " +
                          ", ".join(f"{p} {i}" for p, i in list_[:3]) + (" ..." if len(list_) > 3 else ""))
    print("every difference is explained" if not unexplained else f"{unexplained} differences are not explained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
