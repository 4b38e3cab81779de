#!/usr/bin/env python3
"""Makes a container image of the static program: an OCI layout in one tar, which docker, podman and skopeo load.

    oci.py PROGRAM OUTPUT.tar --version V --arch amd64 [--certificates FOLDER] [--os-release FILE] [--package FILE]...
           [--file IN-IMAGE=FILE]...

One layer: /plimsoll, the certificates that TLS is checked against (those of Debian's ca-certificates, never the machine's
own), a folder for the cache and one for temporary files, /etc/passwd; and, so that a scanner can judge the image, the
system's name and one entry in var/lib/dpkg/status.d for each package that was linked into the program.

The same input gives the same bytes: names sorted, owners fixed, times from SOURCE_DATE_EPOCH. Must never take anything
from the machine that was not named on the command line.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import time

NONROOT = 65532  # as others do it; nothing else in the image belongs to it
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PASSWD = f"root:x:0:0:root:/root:/sbin/nologin\nplimsoll:x:{NONROOT}:{NONROOT}:plimsoll:/cache:/sbin/nologin\n"
GROUP = f"root:x:0:\nplimsoll:x:{NONROOT}:\n"


def read(path):
    with open(path, "rb") as f:
        return f.read()


def bundle(folder):
    """All certificates below a folder as one file."""
    found = sorted(os.path.join(top, n) for top, _, names in os.walk(folder) for n in names if n.endswith(".crt"))
    if not found:
        sys.exit(f"oci: no certificates in {folder}")
    return b"".join(read(p).rstrip() + b"\n" for p in found)


def package_name(text):
    for line in text.decode().splitlines():
        if line.startswith("Package: "):
            return line[len("Package: "):]
    sys.exit("oci: a package entry without a name")


def contents(args):
    """{path: (bytes, mode)} of the files."""
    files = {"plimsoll": (read(args.program), 0o755), "etc/passwd": (PASSWD.encode(), 0o644),
             "etc/group": (GROUP.encode(), 0o644)}
    if args.certificates:
        files["etc/ssl/certs/ca-certificates.crt"] = (bundle(args.certificates), 0o644)
    if args.os_release:
        files["etc/os-release"] = (read(args.os_release), 0o644)
    for path in args.package:
        text = read(path)
        files["var/lib/dpkg/status.d/" + package_name(text)] = (text, 0o644)
    for pair in args.file:
        name, _, path = pair.partition("=")
        files[name.lstrip("/")] = (read(path), 0o644)
    return files


def tar(files, folders, epoch):
    """A tar of files {path: (bytes, mode)} and folders {path: (mode, owner)}, parents first."""
    entries = {}
    for path in list(files) + list(folders):
        parts = path.split("/")
        for i in range(1, len(parts)):
            entries.setdefault("/".join(parts[:i]), None)
        entries.setdefault(path, None)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for path in sorted(entries):
            info = tarfile.TarInfo(path)
            info.mtime = epoch
            if path in files:
                info.size, info.mode = len(files[path][0]), files[path][1]
                t.addfile(info, io.BytesIO(files[path][0]))
                continue
            info.type = tarfile.DIRTYPE
            info.mode, owner = folders.get(path, (0o755, 0))
            info.uid = info.gid = owner
            t.addfile(info)
    return out.getvalue()


def squeeze(data):
    out = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=9, mtime=0) as f:
        f.write(data)
    return out.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def text(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def describe(media, data, **more):
    return dict({"mediaType": media, "digest": digest(data), "size": len(data)}, **more)


def config_of(args, layer, created):
    labels = {"org.opencontainers.image.title": "plimsoll", "org.opencontainers.image.version": args.version,
              "org.opencontainers.image.licenses": "Apache-2.0",
              "org.opencontainers.image.description": "tells whether a container is safe to run"}
    return {"architecture": args.arch, "os": "linux", "created": created,
            "config": {"Entrypoint": ["/plimsoll"], "Cmd": ["--help"], "User": f"{NONROOT}:{NONROOT}", "WorkingDir": "/",
                       "Env": ["PATH=/", "HOME=/cache", "PLIMSOLL_CACHE_DIR=/cache", "TMPDIR=/tmp"], "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created": created, "created_by": "packaging/oci.py", "comment": "the program and what it needs"}]}


def image(args, epoch):
    """The files of the image's tar."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    folders = {"tmp": (0o1777, 0), "cache": (0o700, NONROOT), "proc": (0o755, 0), "sys": (0o755, 0), "dev": (0o755, 0)}
    layer = tar(contents(args), folders, epoch)
    packed = squeeze(layer)
    config = text(config_of(args, layer, created))
    manifest = text({"schemaVersion": 2, "mediaType": MANIFEST, "config": describe(CONFIG, config),
                     "layers": [describe(LAYER, packed)],
                     "annotations": {"org.opencontainers.image.version": args.version}})
    name = f"plimsoll:{args.version}"
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        describe(MANIFEST, manifest, platform={"architecture": args.arch, "os": "linux"},
                 annotations={"org.opencontainers.image.ref.name": args.version, "io.containerd.image.name": name})]}
    blobs = {"blobs/sha256/" + digest(b)[7:]: b for b in (packed, config, manifest)}
    # For docker before 25, which reads no OCI layout: the form of `docker save` over the same blobs.
    saved = [{"Config": "blobs/sha256/" + digest(config)[7:], "RepoTags": [name],
              "Layers": ["blobs/sha256/" + digest(packed)[7:]]}]
    files = dict(blobs, **{"oci-layout": text({"imageLayoutVersion": "1.0.0"}), "index.json": text(index),
                           "manifest.json": text(saved)})
    return {path: (data, 0o644) for path, data in files.items()}


def main():
    p = argparse.ArgumentParser(description="makes a container image of the static program")
    p.add_argument("program")
    p.add_argument("output")
    p.add_argument("--version", required=True)
    p.add_argument("--arch", required=True)
    p.add_argument("--certificates")
    p.add_argument("--os-release")
    p.add_argument("--package", action="append", default=[])
    p.add_argument("--file", action="append", default=[])
    args = p.parse_args()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    data = tar(image(args, epoch), {}, epoch)
    with open(args.output + ".part", "wb") as f:
        f.write(data)
    os.replace(args.output + ".part", args.output)


if __name__ == "__main__":
    main()
