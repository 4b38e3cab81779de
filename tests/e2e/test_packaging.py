#!/usr/bin/env python3
"""The makers of packages and images (packaging/), on the program at hand: what they make is sound, and the same twice.
What is released is tried by tests/e2e/dist.py."""
import gzip
import os
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

PACKAGING = os.path.join(SOURCE, "packaging")
EPOCH = "1700000000"


def command(*args, **kw):
    p = subprocess.run(list(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       env=dict(os.environ, SOURCE_DATE_EPOCH=EPOCH), **kw)
    out = p.stdout.decode("utf-8", "replace")
    check(p.returncode == 0, f"{args}: exit {p.returncode}: {out[-2000:]}")
    return out


def write(path, content):
    with open(path, "wb") as f:
        f.write(content)
    return path


def make_image(d, name, umask):
    certificates = os.path.join(d, "certificates")
    os.makedirs(certificates, exist_ok=True)
    write(os.path.join(certificates, "b.crt"), b"second\n")
    write(os.path.join(certificates, "a.crt"), b"first")
    package = write(os.path.join(d, "entry"), b"Package: perl-base\nVersion: 5.36.0-7\nArchitecture: amd64\nSource: perl\n")
    out = os.path.join(d, name)
    old = os.umask(umask)
    try:
        command(sys.executable, os.path.join(PACKAGING, "oci.py"), PROGRAM, out, "--version", "1.2", "--arch", "amd64",
                "--certificates", certificates, "--os-release", write(os.path.join(d, "os-release"), OS_RELEASE),
                "--package", package)
    finally:
        os.umask(old)
    return out


def test_image_is_the_same_twice_and_is_read():
    with Folder() as d:
        a, b = make_image(d, "a.tar", 0o022), make_image(d, "b.tar", 0o077)
        with open(a, "rb") as x, open(b, "rb") as y:
            check(x.read() == y.read(), "two runs gave different bytes")
        report = scan("image", a)
        equal([p[1:3] for p in packages(report)], [["perl-base", "5.36.0-7"]])
        check(findings(report), "an old perl has findings")
        equal(report["targets"][0]["platform"], "linux/amd64")


def test_image_holds_what_it_should_and_no_more():
    with Folder() as d:
        with tarfile.open(make_image(d, "a.tar", 0o022)) as t:
            manifest = json.load(t.extractfile("manifest.json"))[0]
            config = json.load(t.extractfile(manifest["Config"]))
            layer = gzip.decompress(t.extractfile(manifest["Layers"][0]).read())
        equal(config["rootfs"]["diff_ids"], [sha(layer)])
        equal((config["config"]["Entrypoint"], config["config"]["User"]), (["/plimsoll"], "65532:65532"))
        with tarfile.open(fileobj=io.BytesIO(layer)) as t:
            there = {m.name: m for m in t.getmembers()}
            equal(t.extractfile("etc/ssl/certs/ca-certificates.crt").read(), b"first\nsecond\n")
        equal(sorted(n for n, m in there.items() if m.isfile()),
              ["etc/group", "etc/os-release", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "plimsoll",
               "var/lib/dpkg/status.d/perl-base"])
        equal((there["plimsoll"].mode, there["plimsoll"].uid, there["cache"].uid, there["tmp"].mode), (0o755, 0, 65532, 0o1777))
        equal({m.mtime for m in there.values()}, {int(EPOCH)})


def test_image_is_loaded_by_others():
    if not shutil.which("skopeo"):
        raise Skip("skopeo is not installed")
    with Folder() as d:
        image = make_image(d, "a.tar", 0o022)
        for kind in ("oci-archive", "docker-archive"):
            command("skopeo", "--insecure-policy", "copy", f"{kind}:{image}", f"dir:{d}/{kind}")


def installed(d):
    """What make install makes for a package."""
    tree = os.path.join(d, "tree")
    command("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", tree)
    prefix = next(os.path.dirname(top) for top, folders, names in os.walk(tree) if top.endswith("/bin") and "plimsoll" in names)
    if prefix != os.path.join(tree, "usr"):  # this build is for another place
        os.rename(prefix, os.path.join(d, "usr"))
        shutil.rmtree(tree)
        os.makedirs(tree)
        os.rename(os.path.join(d, "usr"), os.path.join(tree, "usr"))
    command("strip", os.path.join(tree, "usr", "bin", "plimsoll"))
    return tree


def test_package():
    for program in ("dpkg-deb", "dpkg-shlibdeps", "meson", "strip"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")
    if SANITIZED:
        raise Skip("what is packaged is not the sanitizers' build")
    if not os.path.exists(os.path.join(BUILD, "doc", "plimsoll.1")):
        raise Skip("scdoc is not installed")
    arch = command("dpkg", "--print-architecture").strip()
    with Folder() as d:
        tree = installed(d)
        made = []
        for name, umask in (("one", 0o022), ("two", 0o077)):
            os.makedirs(os.path.join(d, name))
            old = os.umask(umask)
            try:
                command(os.path.join(PACKAGING, "deb.sh"), tree, arch, os.path.join(d, name))
            finally:
                os.umask(old)
            made += [os.path.join(d, name, n) for n in os.listdir(os.path.join(d, name))]
        with open(made[0], "rb") as x, open(made[1], "rb") as y:
            check(x.read() == y.read(), "two runs gave different bytes")
        depends = command("dpkg-deb", "-f", made[0], "Depends")
        check("libssl3" in depends and "libc6 (>=" in depends, depends)
        command("dpkg-deb", "-R", made[0], os.path.join(d, "out"))
        command("md5sum", "-c", "--quiet", "--strict", "DEBIAN/md5sums", cwd=os.path.join(d, "out"))
        for wanted in ("bin/plimsoll", "share/plimsoll/advisories.plimsoll", "share/man/man1/plimsoll.1.gz",
                       "share/zsh/vendor-completions/_plimsoll", "share/bash-completion/completions/plimsoll",
                       "share/fish/vendor_completions.d/plimsoll.fish", "share/doc/plimsoll/copyright"):
            check(os.path.exists(os.path.join(d, "out", "usr", wanted)), wanted)
        owners = {line.split()[1] for line in command("dpkg-deb", "-c", made[0]).splitlines()}
        equal(owners, {"root/root"})
        if shutil.which("lintian"):
            equal(command("lintian", "--allow-root", "--fail-on", "none", "--suppress-tags",
                          "bogus-mail-host,bogus-mail-host-in-debian-changelog", made[0]), "")


def test_library_without_a_known_licence_is_refused():
    if not shutil.which("dpkg-query"):
        raise Skip("dpkg is not installed")
    with Folder() as d:
        p = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import sbom; "
                            "print(sbom.licence_of('gcc-12')[0]['expression']); sbom.licence_of('libunheard')", PACKAGING],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=d)
        check(p.returncode == 1 and b"libunheard" in p.stderr and b"GCC-exception" in p.stdout, p.stderr)


main(globals())
