#!/usr/bin/env python3
"""Makes images out of layer tars, in every form that plimsoll reads, with nothing but the standard library.

    make_image.py FORM OUTPUT LAYER.tar... [--compress none|gzip|zstd] [--name NAME:TAG] [--arch ARCH] [--manifest-last]

FORM: docker-old (docker save before 25), docker-new (from 25 on: with OCI blobs), podman (links to layers),
      oci-dir, oci-archive.
Layers are given plain, bottom first. gzip output is level 6 without a time stamp; zstd calls the zstd program.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile


def sha256_file(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def compress(path, how, out):
    if how == "none":
        shutil.copyfile(path, out)
    elif how == "gzip":
        with open(path, "rb") as src, open(out, "wb") as dst:
            with gzip.GzipFile("", "wb", 6, dst, 0) as z:
                shutil.copyfileobj(src, z, 1 << 20)
    else:
        subprocess.run(["zstd", "-q", "-f", "-3", path, "-o", out], check=True)


class Image:
    """One image: its config, and its layers' blobs in a work folder."""

    def __init__(self, args, work):
        self.name, self.layers = args.name, []
        history = []
        for number, path in enumerate(args.layers):
            blob = os.path.join(work, f"layer{number}")
            compress(path, args.compress, blob)
            self.layers.append({"diff": sha256_file(path), "digest": sha256_file(blob), "file": blob,
                                "plain": path, "size": os.path.getsize(blob)})
            history.append({"created": "2026-01-01T00:00:00Z", "created_by": f"ADD layer {number} /"})
            history.append({"created": "2026-01-01T00:00:00Z", "created_by": "ENV A=B", "empty_layer": True})
        self.config = json.dumps({
            "architecture": args.arch, "os": "linux", "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + l["diff"] for l in self.layers]},
            "history": history}).encode()
        self.config_digest = hashlib.sha256(self.config).hexdigest()
        suffix = {"none": "", "gzip": "+gzip", "zstd": "+zstd"}[args.compress]
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "digest": "sha256:" + self.config_digest, "size": len(self.config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar" + suffix,
                        "digest": "sha256:" + l["digest"], "size": l["size"]} for l in self.layers]}).encode()
        self.manifest_digest = hashlib.sha256(self.manifest).hexdigest()

    def index(self):
        return json.dumps({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + self.manifest_digest,
            "size": len(self.manifest),
            "annotations": {"io.containerd.image.name": "docker.io/library/" + self.name,
                            "org.opencontainers.image.ref.name": self.name.split(":")[-1]}}]}).encode()

    def blobs(self):
        """(path, bytes or file name) of an OCI layout."""
        yield "oci-layout", b'{"imageLayoutVersion":"1.0.0"}'
        yield "index.json", self.index()
        yield "blobs/sha256/" + self.manifest_digest, self.manifest
        yield "blobs/sha256/" + self.config_digest, self.config
        for l in self.layers:
            yield "blobs/sha256/" + l["digest"], l["file"]


class Tar:
    def __init__(self, path):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def add(self, name, content):
        info = tarfile.TarInfo(name)
        info.mode = 0o644
        if isinstance(content, bytes):
            info.size = len(content)
            self.tar.addfile(info, io.BytesIO(content))
        else:
            info.size = os.path.getsize(content)
            with open(content, "rb") as f:
                self.tar.addfile(info, f)

    def link(self, name, target):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(info)

    def folder(self, name):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self.tar.addfile(info)


def write_docker(image, args):
    form, t, members = args.form, Tar(args.output), []
    manifest = {"Config": image.config_digest + ".json", "RepoTags": [image.name], "Layers": []}
    if form == "docker-new":
        manifest["Config"] = "blobs/sha256/" + image.config_digest
        manifest["Layers"] = ["blobs/sha256/" + l["digest"] for l in image.layers]
        members = list(image.blobs())
    else:
        members.append((manifest["Config"], image.config))
        for number, l in enumerate(image.layers):
            folder = hashlib.sha256(f"{number} {l['diff']}".encode()).hexdigest()
            manifest["Layers"].append(folder + "/layer.tar" if form == "docker-old" else l["diff"] + ".tar")
            members.append((manifest["Layers"][-1], l["plain"]))
            if form == "docker-old":
                members.append((folder + "/VERSION", b"1.0"))
                members.append((folder + "/json", json.dumps({"id": folder}).encode()))
            else:
                members.append((folder + "/layer.tar", "../" + l["diff"] + ".tar", "link"))
                manifest["Layers"][-1] = folder + "/layer.tar"
    members.insert(len(members) if args.manifest_last else 0, ("manifest.json", json.dumps([manifest]).encode()))
    for m in members:
        if len(m) == 3:
            t.link(m[0], m[1])
        else:
            t.add(*m)
    t.tar.close()


def write_oci(image, args):
    if args.form == "oci-archive":
        t = Tar(args.output)
        for name, content in image.blobs():
            t.add(name, content)
        t.tar.close()
        return
    for name, content in image.blobs():
        path = os.path.join(args.output, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, bytes):
            with open(path, "wb") as f:
                f.write(content)
        else:
            shutil.copyfile(content, path)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("form", choices=["docker-old", "docker-new", "podman", "oci-dir", "oci-archive"])
    p.add_argument("output")
    p.add_argument("layers", nargs="+")
    p.add_argument("--compress", default="none", choices=["none", "gzip", "zstd"])
    p.add_argument("--name", default="test:1")
    p.add_argument("--arch", default="amd64")
    p.add_argument("--manifest-last", action="store_true")
    args = p.parse_args()
    work = args.output + ".work"
    os.makedirs(work, exist_ok=True)
    try:
        image = Image(args, work)
        write_oci(image, args) if args.form.startswith("oci") else write_docker(image, args)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
