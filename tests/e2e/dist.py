#!/usr/bin/env python3
"""Tries what `make dist` made, where people would use it: an empty root file system, a clean Debian 12, qemu for arm64,
skopeo, a validator for the bill of materials. Run by tools/dist_check.sh (make dist-check), not by make check: it makes a
Debian system out of packages, which takes a minute and the network.

PLIMSOLL_DIST: the folder of `make dist`. What is missing here (root, qemu, skopeo) is skipped by name."""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

DIST = os.environ.get("PLIMSOLL_DIST") or os.path.join(BUILD, "dist")
ROOTS = os.path.join(BUILD, "dist-roots")
AMD64, ARM64 = os.path.join(DIST, "plimsoll-linux-amd64"), os.path.join(DIST, "plimsoll-linux-arm64")


def one(pattern):
    found = glob.glob(os.path.join(DIST, pattern))
    equal(len(found), 1, pattern)
    return found[0]


def command(*args, code=0, **kw):
    """Standard output and error of a command that must end well. Programs are found before its environment is another."""
    args = (shutil.which(args[0]) or args[0],) + args[1:]
    p = subprocess.run(list(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    out = p.stdout.decode("utf-8", "replace")
    check(p.returncode == code, f"{args}: exit {p.returncode}: {out[-2000:]}")
    return out


def want(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed")


def want_root():
    if os.geteuid() != 0:
        raise Skip("not root: no chroot")


def libcurl_is_in(program):
    with open(program, "rb") as f:
        return b"Could not resolve host" in f.read()


def debian():
    """A Debian 12 that nothing was done to, and an image of it; made once."""
    want_root()
    want("debootstrap")
    root, image = os.path.join(ROOTS, "debian"), os.path.join(ROOTS, "debian.tar")
    if not os.path.exists(image):
        shutil.rmtree(ROOTS, ignore_errors=True)
        os.makedirs(ROOTS)
        targets = command("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
                          "Label: Debian").split()
        command("debootstrap", "--variant=minbase", "bookworm", root, *targets[:1])
        layer = os.path.join(ROOTS, "layer.tar")
        command("tar", "-C", root, "--numeric-owner", "--one-file-system", "--sort=name", "-cf", layer, ".")
        command(sys.executable, os.path.join(SOURCE, "tests", "support", "make_image.py"), "oci-archive", image + ".part", layer,
                "--compress", "gzip", "--arch", "amd64", "--name", "debian:12")
        os.rename(image + ".part", image)
        os.remove(layer)
    return root, image


def findings_in(text):
    found = findings(json.loads(text))
    check(len(found) > 0, "nothing was found in a Debian without its security archive")
    return found


def test_checksums():
    command("sha256sum", "-c", "--strict", "SHA256SUMS", cwd=DIST)
    listed = {line.split()[1] for line in open(os.path.join(DIST, "SHA256SUMS"))}
    equal(listed, set(os.listdir(DIST)) - {"SHA256SUMS"})


def test_nothing_says_where_it_was_built():
    places = [SOURCE.encode(), os.path.realpath(SOURCE).encode(), b"dist-work", os.path.expanduser("~").encode() + b"/."]
    for name in os.listdir(DIST):
        with open(os.path.join(DIST, name), "rb") as f:
            content = f.read()
        for place in places:
            check(place not in content, f"{name} has {place!r}")


def test_static_program_in_an_empty_root():
    root, image = debian()
    with Folder() as d:
        shutil.copy(AMD64, os.path.join(d, "plimsoll"))
        shutil.copy(image, os.path.join(d, "image.tar"))
        equal(sorted(os.listdir(d)), ["image.tar", "plimsoll"])
        clean = {"PATH": "/"}
        inside = command("chroot", d, "/plimsoll", "image", "/image.tar", "--no-cache", "-f", "json", env=clean)
        outside = command(AMD64, "image", image, "--no-cache", "-f", "json", env=dict(clean, HOME="/nonexistent"))
        equal(findings_in(inside), findings(json.loads(outside)))
        equal(json.loads(inside)["sandbox"], "full")
        equal(sorted(os.listdir(d)), ["image.tar", "plimsoll"], "something was left behind")


def test_package_on_a_clean_debian():
    _, image = debian()
    with Folder() as d:
        fresh = os.path.join(d, "root")
        command("cp", "-a", os.path.join(ROOTS, "debian"), fresh)
        before = command("chroot", fresh, "dpkg-query", "-W", "-f", "${Package}\n").split()
        shutil.copy(one("plimsoll_*_amd64.deb"), os.path.join(fresh, "tmp", "plimsoll.deb"))
        shutil.copy(image, os.path.join(fresh, "tmp", "image.tar"))
        shutil.copy("/etc/resolv.conf", os.path.join(fresh, "etc", "resolv.conf"))
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
        command("chroot", fresh, "apt-get", "-q", "update", env=env)
        command("chroot", fresh, "apt-get", "-q", "-y", "install", "/tmp/plimsoll.deb", env=env)
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        check("/usr/share/plimsoll/advisories.plimsoll" in command("chroot", fresh, "plimsoll", "db", "status", env=clean),
              "the package's database was not found")
        got = command("chroot", fresh, "plimsoll", "image", "/tmp/image.tar", "--no-cache", "-f", "json", env=clean)
        equal(findings_in(got), findings(json.loads(command(AMD64, "image", image, "--no-cache", "-f", "json"))))
        equal(command("chroot", fresh, "dpkg", "--verify", "plimsoll", env=clean), "")
        command("chroot", fresh, "dpkg", "--purge", "plimsoll", env=clean)
        left = [os.path.join(top, n) for top, folders, names in os.walk(fresh) for n in folders + names if "plimsoll" in n]
        equal([p for p in left if not p.startswith(os.path.join(fresh, "tmp"))], [], "left after a purge")
        check("libssl3" not in before, "the system was not clean")


def test_arm64_program():
    want("qemu-aarch64")
    want("unshare")
    _, image = debian()
    with Folder() as d:
        sysroot = os.path.join(d, "arm64")
        env = dict(os.environ, APT_CACHE=os.path.join(SOURCE, "build", "dist-cache"))
        depends = command("dpkg-deb", "-f", one("plimsoll_*_arm64.deb"), "Depends")
        names = [re.sub(r" .*", "", n) for n in depends.strip().split(", ")]
        command(os.path.join(SOURCE, "packaging", "apt.sh"), "sysroot", sysroot, "arm64", *names, env=env)
        check(command("qemu-aarch64", "-L", sysroot, ARM64, "--version").startswith("plimsoll "), "no version")
        # qemu has a second thread, which a program that forks its workers refuses, and knows no seccomp: without /proc and
        # without the sandbox.
        got = command("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "-", "qemu-aarch64", "-L", sysroot,
                      ARM64, "image", image, "--no-cache", "--no-sandbox", "-f", "json")
        equal(findings_in(got[got.index("{"):]), findings(json.loads(command(AMD64, "image", image, "--no-cache", "-f", "json"))))


def test_packages_please_lintian():
    want("lintian")
    for package in glob.glob(os.path.join(DIST, "*.deb")):
        # The project has no address for mail.
        out = command("lintian", "--allow-root", "--fail-on", "none", "--suppress-tags",
                      "bogus-mail-host,bogus-mail-host-in-debian-changelog", package)
        equal(out, "", package)


def test_image_is_clean_by_its_own_program():
    out = command(AMD64, "image", one("*.oci.tar"), "--no-cache", "-f", "json", "--list-all-pkgs", "--fail-on", "unknown")
    report = json.loads(out)
    equal(report["summary"]["distinct"], 0)
    names = {p["source_name"] or p["name"] for p in report["targets"][0]["packages"]}
    check({"openssl", "glibc", "libisal", "ca-certificates"} <= names, names)
    equal("curl" in names, libcurl_is_in(AMD64), names)


def test_image_is_loaded_by_skopeo():
    want("skopeo")
    with Folder() as d:
        for kind in ("oci-archive", "docker-archive"):
            command("skopeo", "--insecure-policy", "copy", f"{kind}:{one('*.oci.tar')}", f"dir:{d}/{kind}")
            check(os.path.exists(f"{d}/{kind}/manifest.json"), kind)
        config = json.loads(command("skopeo", "inspect", "--config", f"oci-archive:{one('*.oci.tar')}"))
        equal(config["config"]["Entrypoint"], ["/plimsoll"])
        check(not config["config"]["User"].startswith("0"), "the image runs as root")


def test_bill_of_materials():
    bom = json.load(open(one("*.cdx.json")))
    uses = {c["name"]: " ".join(p["value"] for p in c["properties"]) for c in bom["components"]}
    check("linked statically" in uses["glibc"] and "built from source" in uses["libisal"], uses)
    equal("curl" in uses, libcurl_is_in(AMD64), uses)
    # Every library is one source's here, but libc.so.6, libm.so.6 and the loader, which are all glibc's.
    wanted = set(re.findall(r"\(NEEDED\).*\[(.+)\.so", command("readelf", "-d", ARM64))) - {"ld-linux-aarch64", "libm"}
    loaded = [name for name, use in uses.items() if "loaded by plimsoll-linux-arm64" in use]
    equal(len(loaded), len(wanted), f"{loaded}, {wanted}")
    p = subprocess.run([os.path.join(SOURCE, "tests", "e2e", "validate_reports.sh"), one("*.cdx.json")], stdout=subprocess.PIPE,
                       env=dict(os.environ, PLIMSOLL_BUILD=BUILD))
    if p.returncode == 77:
        raise Skip(p.stdout.decode().strip())
    equal(p.returncode, 0, p.stdout.decode())


main(globals())
