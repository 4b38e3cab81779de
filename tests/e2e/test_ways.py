#!/usr/bin/env python3
"""One image by every way in: archive, layout, Docker's store, Docker's stream, containerd, Podman as root and as a user,
a registry, a running container. Equal packages and findings, as sorted JSON. The image is one that needs care: links that
move the package database, an opaque folder, whiteouts, types that change, in seven layers."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_containerd  # noqa: E402
import test_docker  # noqa: E402
import test_podman  # noqa: E402
import test_registry  # noqa: E402
from harness import *  # noqa: E402,F403

NAME = "localhost/hard:1"


def facts(report):
    """Everything said of packages and findings; blob digests, sizes and the target's own name are the way's."""
    targets = report["targets"]
    equal(len(targets), 1)
    t = targets[0]
    return json.dumps({"packages": t["packages"], "findings": t["findings"], "os": t.get("os"),
                       "layers": [l["diff_id"] for l in t["layers"] if l["diff_id"] != "container"],
                       "not_assessed": t.get("not_assessed", [])}, sort_keys=True, indent=1)


def same(way, report, expected):
    got = facts(report)
    if got != expected:
        lines = [a + " | " + b for a, b in zip(got.splitlines(), expected.splitlines()) if a != b]
        raise AssertionError(f"{way}: {lines[:5]}")
    t = report["targets"][0]
    print(f"     {way}: {len(t['packages'])} packages, {len(t['findings'])} findings; " +
          " ".join(n for n in t.get("notes", []) if n.startswith("read from"))[:90])


def files(d, tar, expected):
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "docker-archive:" + tar, f"oci:{d}/layout:1"], check=True)
    same("OCI layout", scan("image", f"{d}/layout"), expected)
    with open(tar) as f:
        same("pipe", scan("image", "-", stdin=f), expected)


def docker(d, tar, expected):
    e = test_docker.Dockerd()
    try:
        e.start()
        e.docker("load", "-q", "-i", tar)
        same("Docker, in place", test_docker.in_place(e, "docker:" + NAME), expected)
        same("Docker, streamed", test_docker.streamed(e, "docker:" + NAME), expected)
        e.docker("run", "-d", "--name", "live", "--network=none", "-v", shutil.which("busybox") + ":/busybox:ro", NAME,
                 "/busybox", "sleep", "1000")
        same("running container", test_docker.in_place(e, "container:live"), expected)
    finally:
        e.remove()


def containerd(d, tar, expected):
    with test_containerd.Containerd(d) as c:
        c.ctr("images", "import", "--all-platforms", tar)
        same("containerd", scan("image", c.target(c.names()[0])), expected)


def podman(d, tar, expected):
    for flavour in test_podman.flavours():
        with test_podman.Store(d, flavour) as s:
            s.fill("docker-archive:" + tar)
            same("Podman's store, " + flavour, scan("image", s.target("hard:1")), expected)


def rootless(d, tar, expected):
    with test_podman.User() as u:
        shutil.copy(tar, u.path + "/hard.tar")
        if u.sh("buildah unshare true", check_=False).code:
            raise Skip("no user namespaces for ordinary users")
        u.conf('[storage]\ndriver = "overlay"\nrunroot = "$HOME/rr"\ngraphroot = "$HOME/store"\n')
        u.sh(f"buildah pull -q docker-archive:{u.path}/hard.tar")
        same("Podman's store of a user", u.scan("podman:hard:1"), expected)


def registry(d, tar, expected):
    with test_registry.Distribution(d, auth=False) as r:
        test_registry.skopeo("--dest-tls-verify=false", "docker-archive:" + tar, f"docker://{r.host}/hard:1")
        same("registry", scan("image", f"registry:{r.host}/hard:1"), expected)


def test_every_way_says_the_same():
    if os.geteuid() != 0 or not shutil.which("skopeo"):
        raise Skip("needs root and skopeo")
    missing = []
    with Folder() as d:
        os.chmod(d, 0o755)
        tar = test_podman.archive(d)
        expected = facts(scan("image", tar))
        for way in (files, docker, containerd, podman, rootless, registry):
            own = os.path.join(d, way.__name__)
            os.mkdir(own)
            try:
                way(own, tar, expected)
            except Skip as why:
                missing.append(f"{way.__name__} ({why})")
    if missing:
        raise Skip("without " + ", ".join(missing))


if __name__ == "__main__":
    main({"test_every_way_says_the_same": test_every_way_says_the_same})
