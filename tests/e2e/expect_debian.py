#!/usr/bin/env python3
"""A plain reading of a Debian tracker feed against a dpkg status file, with no code of the program in it.

    expect_debian.py FEED STATUS [--release bookworm] [--summary]

FEED is the tracker's JSON (source package, CVE, releases, fixed_version), plain or gzip. For each installed package the
feed is asked by *source* name, and the source's version is compared with the fixed version by dpkg's own order
(Dpkg::Version, or `dpkg --compare-versions` where that module is missing). Prints "binary CVE fixed-version", sorted,
one pair a line; with --summary the counts alone: installed packages, source packages, source packages that the feed
does not know, pairs.

Must never use the program that it is compared with, nor share its tables.
"""
import argparse
import gzip
import json
import re
import subprocess
import sys


def read_feed(path):
    with open(path, "rb") as f:
        raw = f.read()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    return json.loads(raw)


def paragraphs(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        fields = {}
        for line in f:
            line = line.rstrip("\n")
            if not line.strip():
                if fields:
                    yield fields
                fields = {}
            elif not line[0].isspace() and ":" in line:
                key, value = line.split(":", 1)
                fields[key.lower()] = value.strip()
        if fields:
            yield fields


def installed(path):
    """(binary, source, source version) of every package whose files are there."""
    for p in paragraphs(path):
        state = p.get("status", "install ok installed").split()[-1]
        if state not in ("installed", "half-configured", "unpacked", "triggers-awaited", "triggers-pending"):
            continue
        if "package" not in p or "version" not in p:
            continue
        m = re.fullmatch(r"(\S+)(?:\s+\((\S+)\))?", p.get("source", p["package"]))
        yield p["package"], m.group(1), m.group(2) or p["version"]


PERL = r"""
use Dpkg::Version;
$| = 1;
while (<STDIN>) {
    chomp;
    my ($a, $b) = split /\t/;
    my $x = Dpkg::Version->new($a, check => 0);
    my $y = Dpkg::Version->new($b, check => 0);
    print $x <=> $y, "\n";
}
"""


def compare_all(pairs):
    """{(a, b): -1, 0 or 1} by dpkg itself."""
    pairs = sorted(set(pairs))
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    try:
        run = subprocess.run(["perl", "-e", PERL], input=text, capture_output=True, text=True, check=True)
        return dict(zip(pairs, (int(x) for x in run.stdout.split())))
    except (OSError, subprocess.CalledProcessError):
        pass
    out = {}
    for a, b in pairs:
        def holds(op):
            return subprocess.run(["dpkg", "--compare-versions", a, op, b], stderr=subprocess.DEVNULL).returncode == 0
        out[a, b] = -1 if holds("lt") else 0 if holds("eq") else 1
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("feed")
    args.add_argument("status")
    args.add_argument("--release", default="bookworm")
    args.add_argument("--summary", action="store_true")
    args = args.parse_args()

    feed = read_feed(args.feed)
    packages = sorted(set(installed(args.status)))
    sources = {source for _, source, _ in packages}
    asked = []
    for binary, source, version in packages:
        for cve, entry in feed.get(source, {}).items():
            state = entry["releases"].get(args.release)
            if state is None or state.get("fixed_version") == "0":
                continue
            asked.append((binary, cve, version, state.get("fixed_version")))
    order = compare_all((v, f) for _, _, v, f in asked if f)
    found = {(b, c, f or "-") for b, c, v, f in asked if not f or order[v, f] < 0}
    if args.summary:
        print("packages", len(packages))
        print("sources", len(sources))
        print("not-in-feed", len(sources - set(feed)))
        print("pairs", len({(b, c) for b, c, _ in found}))
        return
    sys.stdout.writelines(f"{b} {c} {f}\n" for b, c, f in sorted(found))


main()
