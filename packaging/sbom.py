#!/usr/bin/env python3
"""Says what the released programs are made of: a CycloneDX 1.6 document, and what has to go along with it.

    sbom.py OUTPUT.cdx.json --version V [--static NAME=LINK-MAP] [--sources FOLDER --prefix FOLDER]
            [--dynamic NAME=PROGRAM[:SYSROOT]]... [--data NAME=PACKAGE]... [--artifact FILE]...
            [--status FOLDER] [--notices FILE]

What is linked is not taken from the build files but from what the linker did: its map names every archive that it took
something from, readelf every shared library that the program wants. dpkg then knows the package, its source and version;
--sources are those that were built here (packaging/apt.sh, packaging/libs.sh) into --prefix. --status takes one entry for
dpkg's status.d for each package in the static program, --notices their copyright files.

A library whose licence is not in the table below ends it: none is linked unnoticed. The same input gives the same bytes.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import uuid

# Of the libraries' own code, by source package; {"id"}: SPDX's id, {"expression"}: a term, {"name"}: no id is there.
LICENCES = {
    "bzip2": {"id": "bzip2-1.0.6"},
    "c-ares": {"id": "MIT"},
    "ca-certificates": {"id": "MPL-2.0"},
    "curl": {"id": "curl"},
    "expat": {"id": "MIT"},
    "gcc": {"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"},
    "glibc": {"id": "LGPL-2.1-or-later"},
    "libdeflate": {"id": "MIT"},
    "libisal": {"id": "BSD-3-Clause"},
    "libseccomp": {"id": "LGPL-2.1-only"},
    "libyaml": {"id": "MIT"},
    "libzstd": {"expression": "BSD-3-Clause OR GPL-2.0-only"},
    "openssl": {"id": "Apache-2.0"},
    "sqlite3": {"id": "blessing"},
    "xz-utils": {"name": "public domain"},
    "zlib": {"id": "Zlib"},
}
ARCHIVE_IN_MAP = re.compile(r"^(/[^()\n]+\.a)\([^)\n]+\)$", re.MULTILINE)
START_FILE_IN_MAP = re.compile(r"^LOAD (/\S+/r?crt1\.o)$", re.MULTILINE)
NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def out_of(*command):
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        sys.exit(f"sbom: {' '.join(command)}: {p.stderr.decode().strip()}")
    return p.stdout.decode()


def licence_of(source):
    base = re.sub(r"^gcc-\d+$", "gcc", source)
    if base not in LICENCES:
        sys.exit(f"sbom: the licence of {source} is not in the table of packaging/sbom.py")
    found = LICENCES[base]
    return [found if "expression" in found else {"license": found}]


class Parts:
    """What was found: {(source, version): {what it is in}}, and the binary packages of the static program."""
    def __init__(self):
        self.used = {}
        self.binaries = {}

    def add(self, source, version, use, binary=None):
        self.used.setdefault((source, version), set()).add(use)
        if binary:
            self.binaries[binary["Package"]] = binary


def package_of(path, root=None):
    """The fields of the package that a file came in."""
    database = ["--admindir=" + os.path.join(root, "var/lib/dpkg")] if root else []
    # /lib is a link to /usr/lib, and dpkg knows a file under one of both names.
    aliases = [path, os.path.realpath(path), re.sub(r"^/usr/lib/", "/lib/", path),
               re.sub(r"^/usr/lib/", "/lib/", os.path.realpath(path)), re.sub(r"^/lib/", "/usr/lib/", path)]
    for alias in aliases:
        p = subprocess.run(["dpkg-query"] + database + ["-S", alias], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if p.returncode == 0:
            return fields_of(p.stdout.decode().split(": ")[0].split(",")[0], database)
    sys.exit(f"sbom: no package has {path}")


def fields_of(package, database=()):
    names = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
    text = out_of("dpkg-query", *database, "-W", "-f", "\\n".join("${%s}" % n for n in names), package)
    return dict(zip(names, text.split("\n")))


def static_parts(parts, name, map_file, prefix, built):
    with open(map_file, encoding="utf-8", errors="replace") as f:
        text = f.read()
    for path in sorted({os.path.realpath(p) for p in ARCHIVE_IN_MAP.findall(text) + START_FILE_IN_MAP.findall(text)}):
        use = f"linked statically into {name}"
        if prefix and path.startswith(os.path.realpath(prefix) + "/"):
            source = {"libcurl.a": "curl", "libcares.a": "c-ares", "libisal.a": "libisal"}[os.path.basename(path)]
            binary = {"Package": source, "Version": built[source], "Architecture": out_of("dpkg", "--print-architecture").strip(),
                      "source:Package": source, "source:Version": built[source]}
            parts.add(source, built[source], use + ", built from source", binary)
            continue
        if path.startswith("/usr") or path.startswith("/lib"):
            binary = package_of(path)
            parts.add(binary["source:Package"], binary["source:Version"], use, binary)


def dynamic_parts(parts, name, program, root):
    for library in sorted(set(NEEDED.findall(out_of("readelf", "-d", program)))):
        path = library_path(library, root)
        binary = package_of(path, root)
        parts.add(binary["source:Package"], binary["source:Version"], f"loaded by {name}")


def library_path(library, root):
    folders = ["lib", "usr/lib"]
    triplets = ["", "aarch64-linux-gnu"] if root else ["", out_of("gcc", "-print-multiarch").strip()]
    for folder in folders:
        for triplet in triplets:
            path = os.path.join(root or "/", folder, triplet, library)
            if os.path.exists(path):
                return path
    sys.exit(f"sbom: {library} was not found")


def purl(source, version):
    quoted = version.replace(":", "%3A").replace("+", "%2B")
    return f"pkg:deb/debian/{source}@{quoted}?arch=source&distro=debian-12"


def component(source, version, uses):
    return {"type": "data" if source == "ca-certificates" else "library", "bom-ref": purl(source, version), "name": source,
            "version": version, "purl": purl(source, version), "licenses": licence_of(source),
            "properties": [{"name": "plimsoll:use", "value": u} for u in sorted(uses)]}


def artifact(path):
    with open(path, "rb") as f:
        content = f.read()
    return {"type": "file", "name": os.path.basename(path),
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]}


def document(args, parts, epoch):
    me = {"type": "application", "bom-ref": "plimsoll", "name": "plimsoll", "version": args.version,
          "description": "tells whether a container is safe to run",
          "licenses": [{"license": {"id": "Apache-2.0"}}]}
    if args.artifact:
        me["components"] = [artifact(p) for p in args.artifact]
    components = [component(source, version, uses) for (source, version), uses in sorted(parts.used.items())]
    doc = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
           "metadata": {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)), "component": me,
                        "lifecycles": [{"phase": "post-build"}]},
           "components": components,
           "dependencies": [{"ref": "plimsoll", "dependsOn": [c["bom-ref"] for c in components]}] +
                           [{"ref": c["bom-ref"]} for c in components],
           "compositions": [{"aggregate": "complete", "assemblies": ["plimsoll"]}]}
    number = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(doc, sort_keys=True).encode()).hexdigest())
    return dict(doc, serialNumber=f"urn:uuid:{number}")


def write_status(folder, parts):
    os.makedirs(folder, exist_ok=True)
    for name, b in sorted(parts.binaries.items()):
        source = b["source:Package"] + (f" ({b['source:Version']})" if b["source:Version"] != b["Version"] else "")
        text = f"Package: {name}\nVersion: {b['Version']}\nArchitecture: {b['Architecture']}\n"
        if b["source:Package"] != name or b["source:Version"] != b["Version"]:
            text += f"Source: {source}\n"
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text + "Maintainer: Debian\n")


def write_notices(path, parts, sources):
    """What the licences of the linked libraries want to go along with copies of the program."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("plimsoll contains the libraries below, each under its own terms. Their sources are Debian's, in the\n"
                  "versions named; plimsoll's own source and the commands of its build (make dist) are public, so that it can\n"
                  "be linked again with other versions of them.\n")
        seen = set()
        for name, b in sorted(parts.binaries.items()):
            key = (b["source:Package"], b["source:Version"])
            if key in seen:
                continue
            seen.add(key)
            places = [os.path.join(sources or "", key[0], "debian/copyright"), f"/usr/share/doc/{name}/copyright"]
            place = next((p for p in places if os.path.exists(p)), None)
            if not place:
                sys.exit(f"sbom: no copyright file of {name}")
            with open(place, encoding="utf-8") as f:
                out.write(f"\n{'=' * 78}\n{key[0]} {key[1]}\n{'=' * 78}\n\n{f.read().strip()}\n")


def main():
    p = argparse.ArgumentParser(description="says what the released programs are made of")
    p.add_argument("output")
    p.add_argument("--version", required=True)
    p.add_argument("--static")
    p.add_argument("--sources")
    p.add_argument("--prefix")
    p.add_argument("--dynamic", action="append", default=[])
    p.add_argument("--data", action="append", default=[])
    p.add_argument("--artifact", action="append", default=[])
    p.add_argument("--status")
    p.add_argument("--notices")
    args = p.parse_args()
    parts = Parts()
    built = {}
    if args.sources:
        with open(os.path.join(args.sources, "versions"), encoding="utf-8") as f:
            built = dict(line.split() for line in f)
    if args.static:
        name, _, map_file = args.static.partition("=")
        static_parts(parts, name, map_file, args.prefix, built)
    for pair in args.data:
        name, _, package = pair.partition("=")
        binary = fields_of(package)
        parts.add(binary["source:Package"], binary["source:Version"], f"copied into {name}", binary)
    for pair in args.dynamic:
        name, _, rest = pair.partition("=")
        program, _, root = rest.partition(":")
        dynamic_parts(parts, name, program, root or None)
    if args.status:
        write_status(args.status, parts)
    if args.notices:
        write_notices(args.notices, parts, args.sources)
    doc = document(args, parts, int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    with open(args.output, "w", encoding="utf-8") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
