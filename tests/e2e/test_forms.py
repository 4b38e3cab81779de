#!/usr/bin/env python3
"""The same image in every form gives equal packages and findings."""
import glob
import gzip
import os
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

MAKE = os.path.join(SOURCE, "tests/support/make_image.py")
INVENTORY = os.path.join(SHARED, "inventories", "debian-12")


def make(form, out, layers, *more):
    subprocess.run([sys.executable, MAKE, form, out, *layers, *more], check=True)
    return out


def real_root(d):
    """A folder with a real package list of 915 packages, and its tars: two layers, the second an upgrade."""
    if not os.path.isdir(INVENTORY):
        raise Skip("../shared/inventories is missing")
    root = os.path.join(d, "root")
    subprocess.run(["cp", "-rL", "--no-preserve=mode", INVENTORY, root], check=True)
    full = open(os.path.join(root, STATUS)).read()
    stanzas = full.split("\n\n")
    first = "\n\n".join(stanzas[: len(stanzas) // 2]) + "\n\n"
    os_release = open(os.path.join(root, "etc/os-release"), "rb").read()
    layers = []
    for i, content in enumerate((
            [entry("etc", kind="dir"), entry("etc/os-release", os_release), entry(STATUS, first.encode())],
            [entry("tmp/unrelated", b"x" * 100000)],
            [entry(STATUS, full.encode())])):
        layers.append(os.path.join(d, f"layer{i}.tar"))
        with open(layers[-1], "wb") as f:
            f.write(layer_tar(content))
    return root, layers


STATUS = "var/lib/dpkg/status"


def test_every_form_gives_the_same():
    with Folder() as d:
        root, layers = real_root(d)
        expect = scan("image", make("docker-old", d + "/docker-old.tar", layers))
        equal(len(packages(expect)), 915, "packages")
        check(len({p[6] for p in packages(expect)}) == 2, "two layers brought packages")
        forms = [("docker-new", "none"), ("docker-new", "gzip"), ("podman", "none"), ("oci-archive", "gzip"),
                 ("oci-archive", "zstd"), ("oci-dir", "none"), ("oci-dir", "gzip"), ("oci-dir", "zstd")]
        for form, compress in forms:
            path = make(form, f"{d}/{form}-{compress}", layers, "--compress", compress)
            prefix = {"docker-new": "docker-archive:", "podman": "docker-archive:", "oci-archive": "oci-archive:",
                      "oci-dir": "oci:"}[form]
            for target in (path, prefix + path, prefix + path + ":test:1"):
                got = scan("image", target)
                equal(packages(got), packages(expect), target)
                equal(findings(got), findings(expect), target)
            if form != "oci-dir":
                for last in ((), ("--manifest-last",)) if form.startswith("docker") else ((),):
                    if last:
                        path = make(form, f"{d}/{form}-{compress}-last", layers, "--compress", compress, *last)
                    with open(path, "rb") as f:
                        plain = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
                        equal(packages(scan("image", "-", stdin=plain.stdout)), packages(expect), f"{form} through a pipe")
                    for tool in ("gzip", "zstd"):
                        with open(path, "rb") as f, open(path + ".z", "wb") as out:
                            subprocess.run([tool, "-c"], stdin=f, stdout=out, check=True)
                        got = scan("image", path + ".z")
                        equal(packages(got), packages(expect), f"{form} in {tool}")
                        equal(findings(got), findings(expect), f"{form} in {tool}")
        folder = scan("fs", root)
        equal(packages(folder, layer=False), packages(expect, layer=False), "the root folder")
        equal(findings(folder), findings(expect), "the root folder")


def test_gzip_of_several_members():
    tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1"))), entry("x", os.urandom(300000))])
    cuts = [0, 1000, 1001, 200000, len(tar)]
    blob = b"".join(gzip.compress(tar[a:b]) for a, b in zip(cuts, cuts[1:]))
    for data in (blob, blob + b"\0" * 512):
        with Folder() as d:
            equal([p[1] for p in packages(scan("image", "oci:" + oci_dir(d, [data], [sha(tar)])))], ["a"])


def test_real_images():
    """Images that Docker wrote: two Alpines, gzip over the whole archive."""
    for version in ("3.10", "3.11"):
        path = os.path.join(SHARED, "inventories", f"alpine-{version}", "image.tar.gz")
        if not os.path.exists(path):
            raise Skip("../shared/inventories is missing")
        report = scan("image", path)
        equal(len(packages(report)), 14)
        equal(report["targets"][0]["os"]["id"], "alpine")
        check(report["targets"][0]["os"]["version"].startswith(version), report["targets"][0]["os"])
        with open(path, "rb") as f:
            equal(packages(scan("image", "-", stdin=f)), packages(report))


def test_a_stream_of_layers_full_of_links_keeps_the_last():
    """What is kept of one layer has a cap; the layers before it in a stream must not use it up."""
    full = layer_tar([entry(f"links/{i:06}/{'x' * 60}", kind="symlink", link="y" * 60) for i in range(40000)], tarfile.USTAR_FORMAT)
    last = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1")))])
    with Folder() as d:
        path = docker_archive(d + "/i.tar", [full, full, full, last])
        with open(path, "rb") as f:
            pipe = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
            report = scan("image", "-", stdin=pipe.stdout)
        equal([p[1] for p in packages(report)], ["a"])
        equal([n for n in not_assessed(report) if "LAYER_" in n["reason"]], [])


def two_images(d):
    paths = []
    for name, package in (("one:1", "a"), ("two:2", "b")):
        tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status((package, "1")))])
        paths.append(tar)
    config = [json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha(t)]}}).encode()
              for t in paths]
    manifest = [{"Config": sha(c)[7:] + ".json", "RepoTags": [n], "Layers": [f"{i}/layer.tar"]}
                for i, (c, n) in enumerate(zip(config, ("one:1", "two:2")))]
    members = [entry("manifest.json", json.dumps(manifest).encode())]
    for i in range(2):
        members += [entry(manifest[i]["Config"], config[i]), entry(f"{i}/layer.tar", paths[i])]
    path = os.path.join(d, "two.tar")
    with open(path, "wb") as f:
        f.write(layer_tar(members))
    return path


def test_one_of_several_images_is_chosen():
    with Folder() as d:
        path = two_images(d)
        r = run("image", path)
        equal(r.code, 2)
        check("one:1" in r.err and "two:2" in r.err, r.err)
        equal([p[1] for p in packages(scan("image", f"docker-archive:{path}:two:2"))], ["b"])
        equal([p[1] for p in packages(scan("image", f"{path}:one:1"))], ["a"])
        equal([p[1] for p in packages(scan("image", f"{path}:docker.io/library/one:1"))], ["a"])
        r = run("image", f"docker-archive:{path}:three")
        equal(r.code, 4)
        check("one:1" in r.err, r.err)


def platforms(d):
    """An index with two platforms and an attestation, as buildx pushes it."""
    tars = {a: layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status((a, "1")))]) for a in ("amd64", "arm64")}
    os.makedirs(d + "/blobs/sha256")

    def put(data):
        with open(f"{d}/blobs/sha256/{sha(data)[7:]}", "wb") as f:
            f.write(data)
        return {"digest": sha(data), "size": len(data)}
    manifests = []
    for arch, tar in tars.items():
        config = json.dumps({"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha(tar)]}}).encode()
        m = json.dumps({"schemaVersion": 2, "config": put(config), "layers": [put(tar)]}).encode()
        manifests.append(dict(put(m), mediaType="application/vnd.oci.image.manifest.v1+json",
                              platform={"os": "linux", "architecture": arch, **({"variant": "v8"} if arch == "arm64" else {})}))
    manifests.append(dict(put(b'{"schemaVersion":2,"layers":[]}'), mediaType="application/vnd.oci.image.manifest.v1+json",
                          platform={"os": "unknown", "architecture": "unknown"},
                          annotations={"vnd.docker.reference.type": "attestation-manifest"}))
    inner = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    outer = {"schemaVersion": 2, "manifests": [dict(put(inner), mediaType="application/vnd.oci.image.index.v1+json",
                                                    annotations={"org.opencontainers.image.ref.name": "latest"})]}
    with open(d + "/index.json", "w") as f:
        json.dump(outer, f)
    return d


def test_platforms():
    with Folder() as d:
        path = platforms(d)
        for platform in ("linux/arm64", "linux/arm64/v8", "arm64"):
            report = scan("image", "oci:" + path, "--platform", platform)
            equal([p[1] for p in packages(report)], ["arm64"])
            equal(report["targets"][0]["platform"], "linux/arm64")
        equal([p[1] for p in packages(scan("image", path + ":latest", "--platform", "linux/amd64"))], ["amd64"])
        r = run("image", path, "--platform", "linux/s390x")
        check(r.code == 4 and "linux/arm64" in r.err, r.err)


def test_history_of_the_upper_layers_alone():
    with Folder() as d:
        layers = [layer_tar([entry("etc/os-release", OS_RELEASE)]), layer_tar([entry("a", b"a")]), layer_tar([entry("b", b"b")])]
        history = [{"created_by": "ENV A=B", "empty_layer": True}, {"created_by": "COPY b"}]
        report = scan("image", docker_archive(d + "/i.tar", layers, config_extra={"history": history}))
        equal([l.get("created_by", "") for l in report["targets"][0]["layers"]], ["", "", "COPY b"])


def test_targets_that_are_not_there():
    r = run("image", "no-such-image-anywhere:1.25", "--offline")
    check(r.code == 4 and "no such file" in r.err, r.err)
    r = run("image", "./no/such/file")
    check(r.code == 4 and "no such file" in r.err, r.err)
    with Folder() as d:
        r = run("image", d)
        check(r.code == 4, r.err)
        os.mkfifo(d + "/fifo")
        r = run("image", d + "/fifo", timeout=10)
        check(r.code == 2 and "plimsoll image -" in r.err, r.err)


def test_sparse_files_and_long_names():
    with Folder() as d:
        root = d + "/root"
        os.makedirs(root + "/" + "n" * 120 + "/" + "m" * 120)
        os.makedirs(root + "/var/lib/dpkg")
        os.makedirs(root + "/etc")
        with open(root + "/etc/os-release", "wb") as f:
            f.write(OS_RELEASE)
        with open(root + "/" + STATUS, "wb") as f:
            f.write(status(("a", "1")))
            f.seek(2 << 20)
            f.write(b"\n" + status(("b", "1")))
        for form in ("gnu", "pax", "oldgnu"):
            for sparse in ([], ["--sparse"]) + tuple(["--sparse", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0")):
                if form != "pax" and len(sparse) > 1:
                    continue
                tar = subprocess.run(["tar", "-C", root, f"--format={form}", *sparse, "-cf", "-", "."],
                                     stdout=subprocess.PIPE, check=True).stdout
                report = scan("image", docker_archive(d + "/i.tar", [tar]))
                check("b" in [p[1] for p in packages(report)], f"{form} {sparse}: {packages(report)}")


main(globals())
