#!/usr/bin/env python3
"""The cache: right after anything that can happen to it, and deaf to what archives claim."""
import concurrent.futures
import glob
import gzip
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

STATUS = "var/lib/dpkg/status"


def layer(*packages_):
    return layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(*packages_))])


def names(target, cache, *more, **kw):
    return [p[1] for p in packages(scan("image", target, *more, cache=cache, **kw))]


def age(folder):
    """A file younger than two seconds is not remembered: make it old, as far as that can be done (ctime cannot)."""
    time.sleep(2.1)


def notes(report):
    return " ".join(n for t in report["targets"] for n in t.get("notes", []))


def entries(cache):
    return glob.glob(cache + "/layer-*/*/*")


def test_a_second_scan_uses_the_first():
    with Folder() as d:
        cache = d + "/cache"
        path = docker_archive(d + "/i.tar", [layer(("a", "1")), layer(("a", "1"), ("b", "1"))])
        age(d)
        equal(names(path, cache), ["a", "b"])
        equal(len(entries(cache)), 2, "one entry a layer")
        report = scan("image", path, cache=cache)
        equal([p[1] for p in packages(report)], ["a", "b"])
        check("checked on" in notes(report), notes(report))
        # Another file with the same layers: hashed again, and found.
        other = docker_archive(d + "/j.tar", [layer(("a", "1"))])
        equal(names(other, cache), ["a"])
        equal(len(entries(cache)), 2)


def test_a_changed_file_is_hashed_again():
    with Folder() as d:
        cache = d + "/cache"
        path = docker_archive(d + "/i.tar", [layer(("aa", "1"))])
        age(d)
        equal(names(path, cache), ["aa"])
        equal(names(path, cache), ["aa"])
        stat = os.stat(path)
        content = open(path, "rb").read()
        changed = docker_archive(d + "/j.tar", [layer(("bb", "1"))])
        data = open(changed, "rb").read()
        equal(len(content), len(data), "the test wants files of one size")
        with open(path, "r+b") as f:
            f.write(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        equal(names(path, cache), ["bb"], "same inode, size and mtime, but another ctime")


def test_an_archive_cannot_speak_for_another():
    """A claims the digests of B: A fails, and what the cache says of B stays true, whoever comes first."""
    good, evil = layer(("good", "1")), layer(("evil", "1"))
    gz_good, gz_evil = gzip.compress(good), gzip.compress(evil)
    for good_first in (True, False):
        with Folder() as d:
            cache = d + "/cache"
            os.makedirs(d + "/good"), os.makedirs(d + "/evil"), os.makedirs(d + "/evil2")
            right = oci_dir(d + "/good", [gz_good], [sha(good)])
            liar = oci_dir(d + "/evil", [gz_evil], [sha(good)], digests=[sha(gz_good)])
            os.rename(f"{liar}/blobs/sha256/{sha(gz_evil)[7:]}", f"{liar}/blobs/sha256/{sha(gz_good)[7:]}")
            # Its own blob, but with another's diff ID.
            half = oci_dir(d + "/evil2", [gz_evil], [sha(good)])
            time.sleep(0.2)  # a file just written is not cached
            if good_first:
                equal(names("oci:" + right, cache), ["good"])
            for target in (liar, half):
                r = run("image", "oci:" + target, "-f", "json", cache=cache)
                equal(r.code, 4, r.err)
            equal(names("oci:" + right, cache), ["good"])
            equal(len(entries(cache)), 1, "a failed scan leaves no entry")
    with Folder() as d:
        cache = d + "/cache"
        lie = docker_archive(d + "/lie.tar", [evil], diff_ids=[sha(good)])
        equal(run("image", lie, cache=cache).code, 4)
        equal(names(docker_archive(d + "/true.tar", [good]), cache), ["good"])


def test_damaged_entries_are_no_entries():
    rng = random.Random(4)
    with Folder() as d:
        cache = d + "/cache"
        path = docker_archive(d + "/i.tar", [layer(("a", "1"))])
        age(d)
        names(path, cache)
        files = [f for f in glob.glob(cache + "/*/*/*") if os.path.isfile(f)]
        check(len(files) >= 2, files)
        originals = {f: open(f, "rb").read() for f in files}
        for i in range(20):
            for f, data in originals.items():
                bad = bytearray(data)
                if i % 3 == 0:
                    bad = bad[: rng.randrange(len(bad))]
                elif i % 3 == 1:
                    bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
                else:
                    bad = bytearray(rng.randbytes(len(bad)))
                with open(f, "wb") as out:
                    out.write(bad)
            equal(names(path, cache), ["a"])


def test_many_at_once():
    with Folder() as d:
        cache = d + "/cache"
        shared = layer(("base", "1"))
        images = [docker_archive(f"{d}/{i}.tar", [shared, layer(("base", "1"), (f"p{i}", "1"))]) for i in range(4)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda i: (i % 4, names(images[i % 4], cache)), range(24)))
        for i, got in results:
            equal(got, ["base", f"p{i}"])


def test_killed_halfway():
    with Folder() as d:
        cache = d + "/cache"
        big = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("a", "1"))), entry("x", os.urandom(20 << 20))])
        path = docker_archive(d + "/i.tar", [big])
        for delay in (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05):
            p = subprocess.Popen([PROGRAM, "image", path, "--cache-dir", cache], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=clean_env())
            time.sleep(delay)
            p.send_signal(signal.SIGKILL)
            p.wait()
        equal(names(path, cache), ["a"])
        time.sleep(0.3)
        left = subprocess.run(["pgrep", "-f", path], stdout=subprocess.PIPE).stdout
        equal(left, b"", "workers outlive their parent")


def test_a_cache_that_cannot_be_used():
    with Folder() as d:
        path = docker_archive(d + "/i.tar", [layer(("a", "1"))])
        with open(d + "/file", "w") as f:
            f.write("no folder")
        for cache in (d + "/file", d + "/file/below", "/proc/none", "/dev/full"):
            equal(names(path, cache), ["a"], cache)


def test_a_full_disk():
    if os.geteuid() != 0:
        raise Skip("wants root for a small file system")
    with Folder() as d:
        os.mkdir(d + "/small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", d + "/small"], stderr=subprocess.DEVNULL).returncode:
            raise Skip("cannot mount a tmpfs")
        try:
            many = layer(*[(f"p{i:05}", "1") for i in range(2000)])
            path = docker_archive(d + "/i.tar", [many])
            for _ in range(2):
                equal(len(names(path, d + "/small/cache")), 2000)
            r = run("image", path, "-o", d + "/small/report.json", "-f", "json", "--list-all-pkgs")
            equal(r.code, 4, r.err)
            check("report.json" in r.err, r.err)
            check(not os.path.exists(d + "/small/report.json"), "half a report")
        finally:
            subprocess.run(["umount", d + "/small"])


main(globals())
