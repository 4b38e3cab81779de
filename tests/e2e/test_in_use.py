#!/usr/bin/env python3
"""--in-use: packages whose files running processes have mapped. Real processes: chrooted into a folder, and in a container
of a real Docker engine; databases of dpkg (lists, and distroless' sums), apk, and rpm made by rpmbuild and rpm."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_docker  # noqa: E402
from harness import *  # noqa: E402,F403

LISTS = "var/lib/dpkg/info"
# openssl has findings of Debian 12 in the shipped database, and so has the other.
RUNS, RESTS = ("openssl", "3.0.11-1~deb12u1"), ("curl", "7.88.1-10+deb12u1")


def needs():
    if os.geteuid() != 0:
        raise Skip("needs root to chroot")
    if not shutil.which("busybox") or b"static" not in subprocess.run(["file", "-L", shutil.which("busybox")],
                                                                      capture_output=True).stdout:
        raise Skip("no static busybox")


def put(root, path, content):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as f:
        f.write(content)


def system(root):
    put(root, "etc/os-release", OS_RELEASE)
    os.makedirs(root + "/usr/bin", exist_ok=True)
    shutil.copy(shutil.which("busybox"), root + "/usr/bin/busybox")
    os.symlink("usr/bin", root + "/bin")


def dpkg_system(root):
    system(root)
    put(root, STATUS, status(RUNS, RESTS))
    # Packed before /usr was merged, as many of Debian's are.
    put(root, f"{LISTS}/openssl:amd64.list", b"/.\n/bin\n/bin/busybox\n/usr/share/doc/openssl\n")
    put(root, f"{LISTS}/curl.list", b"/.\n/usr\n/usr/bin\n/usr/bin/curl\n")


STATUS = "var/lib/dpkg/status"


class Running:
    """A program that runs with the folder as its root."""
    def __init__(self, root):
        self.process = subprocess.Popen(["chroot", root, "/usr/bin/busybox", "sleep", "1000"], stdin=subprocess.DEVNULL)
        for _ in range(100):
            try:
                if os.readlink(f"/proc/{self.process.pid}/exe").endswith("/usr/bin/busybox"):
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("nothing runs")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def used(report):
    return {p["name"]: p.get("in_use") for t in report["targets"] for p in t["packages"]}


def words(report):
    return " ".join(n["reason"] for n in not_assessed(report)) + " ".join(report["targets"][0].get("notes", []))


def test_a_root_in_which_something_runs():
    needs()
    with Folder() as d:
        dpkg_system(d)
        with Running(d):
            report = scan("fs", d, "--in-use")
            equal(used(report), {"openssl": True, "curl": False})
            check("1 of 2 packages are in use" in words(report), words(report))
            check(all("in_use" in f["package"] for f in report["targets"][0]["findings"]), "findings say it, too")
            # The gate may pass over what does not run.
            check(run("fs", d, "--fail-on", "low").code == 1, "without the option it fails")
            r = run("fs", d, "--fail-on", "low", "--fail-on-in-use")
            check(r.code == 1 and "in openssl" in r.out, r.out)
            put(d, f"{LISTS}/openssl:amd64.list", b"/usr/bin/openssl\n")
            r = run("fs", d, "--fail-on", "low", "--fail-on-in-use")
            equal(r.code, 0, r.out)
        report = scan("fs", d, "--in-use")
        equal(used(report), {"openssl": None, "curl": None})
        check("no process" in words(report), words(report))
        # What is not known is not passed over.
        equal(run("fs", d, "--fail-on", "low", "--fail-on-in-use").code, 1)
    r = run("fs", "/", "--fail-on-in-use")
    check(r.code == 2 and "--fail-on" in r.err, r.err)


def test_what_runs_comes_first():
    needs()
    with Folder() as d:
        dpkg_system(d)
        put(d, f"{LISTS}/openssl:amd64.list", b"/usr/bin/openssl\n")
        put(d, f"{LISTS}/curl.list", b"/usr/bin/busybox\n")
        with Running(d):
            out = run("fs", d, "--in-use").out
            check(0 < out.index("\ncurl") < out.index("\nopenssl"), out)
            check("in use" in out, out)


def test_distroless_and_apk():
    needs()
    with Folder() as d:
        system(d)
        put(d, "var/lib/dpkg/status.d/openssl", status(RUNS))
        put(d, "var/lib/dpkg/status.d/openssl.md5sums", b"0123456789abcdef0123456789abcdef  usr/bin/busybox\n")
        put(d, "var/lib/dpkg/status.d/curl", status(RESTS))
        put(d, "var/lib/dpkg/status.d/curl.md5sums", b"0123456789abcdef0123456789abcdef  usr/bin/curl\n")
        with Running(d):
            equal(used(scan("fs", d, "--in-use")), {"openssl": True, "curl": False})
    with Folder() as d:
        system(d)
        put(d, "etc/os-release", b'ID=alpine\nVERSION_ID="3.19.1"\n')
        put(d, "lib/apk/db/installed", b"C:Q1\nP:tools\nV:1.0-r0\nA:x86_64\no:tools\nF:usr\nF:usr/bin\nR:busybox\nZ:Q1\n\n"
                                       b"C:Q1\nP:rest\nV:1.0-r0\nA:x86_64\no:rest\nF:usr/bin\nR:toolbox\n\n")
        with Running(d):
            equal(used(scan("fs", d, "--in-use")), {"tools": True, "rest": False})


SPEC = """Name: {0}
Version: 1.0
Release: 1
Summary: x
License: x
BuildArch: noarch
%description
x
%install
mkdir -p %{{buildroot}}/usr/bin %{{buildroot}}/usr/share/{0}
echo > %{{buildroot}}/usr/bin/{0}
echo > %{{buildroot}}/usr/share/{0}/a
%files
/usr/bin/{0}
/usr/share/{0}
"""


def test_rpm():
    needs()
    if not shutil.which("rpmbuild") or not shutil.which("rpm"):
        raise Skip("no rpmbuild")
    with Folder() as d:
        root = d + "/root"
        system(root)
        put(root, "etc/os-release", b'ID=almalinux\nVERSION_ID="9.4"\n')
        for name in ("busybox", "other"):
            put(d, name + ".spec", SPEC.format(name).encode())
            subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {d}/top", f"{d}/{name}.spec"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            subprocess.run(["rpm", "--dbpath", root + "/var/lib/rpm", "-i", "--justdb", "--nodeps", "--noscripts",
                            f"{d}/top/RPMS/noarch/{name}-1.0-1.noarch.rpm"], check=True, stderr=subprocess.DEVNULL)
        with Running(root):
            equal(used(scan("fs", root, "--in-use")), {"busybox": True, "other": False})


def test_a_running_container():
    e = test_docker.the_engine()
    lists = [(f"base/{LISTS}/curl.list", b"/bin/busybox\n"), (f"base/{LISTS}/bash.list", b"/bin/bash\n")]
    e.build("test/in-use:1", 'CMD ["sleep", "1000"]\n', test_docker.BASE + lists)
    e.docker("run", "-d", "--name", "used", "--network=none", "test/in-use:1")
    time.sleep(1)
    names = used(test_docker.in_place(e, "container:used", "--in-use"))
    equal((names["curl"], names["bash"]), (True, False))
    # An image has no processes, and a container that was stopped has none any more.
    for target in ("docker:test/in-use:1",):
        report = test_docker.in_place(e, target, "--in-use")
        equal(set(used(report).values()), {None})
        check("process" in words(report), words(report))
    e.docker("kill", "used")
    equal(set(used(test_docker.in_place(e, "container:used", "--in-use")).values()), {None})


def test_an_archive_has_no_processes():
    with Folder() as d:
        path = docker_archive(d + "/a.tar", [layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(RUNS))])])
        report = scan("image", path, "--in-use")
        equal(used(report), {"openssl": None})
        check("has none" in words(report), words(report))


if __name__ == "__main__":
    main(globals())
