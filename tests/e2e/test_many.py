#!/usr/bin/env python3
"""Many images in one run, many runs at once, and every poor circumstance: no home that can be written, a full disk, no
rights, no network. A clear word each, and never a wrong result."""
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

STATUS = "var/lib/dpkg/status"


def image(path, *packages_, pad=0):
    layers = [layer_tar([entry("etc/os-release", OS_RELEASE), entry("pad", os.urandom(1) * pad)]),
              layer_tar([entry(STATUS, status(*packages_))])]
    return docker_archive(path, layers)


def by_target(report):
    return {os.path.basename(t["name"]): sorted(p["name"] for p in t["packages"]) for t in report["targets"]}


def test_many_targets_in_one_report():
    with Folder() as d:
        a, b, c = image(d + "/a.tar", ("a", "1")), image(d + "/b.tar", ("b", "1")), image(d + "/c.tar", ("c", "1"))
        expected = {"a.tar": ["a"], "b.tar": ["b"], "c.tar": ["c"]}
        equal(by_target(scan("image", a, b, c)), expected)
        # Once each, in the order in which they were named.
        with open(d + "/list", "w") as f:
            f.write(f"# images\n{b}\n\n  {c}  \n{b}\n")
        report = scan("image", a, "--from-file", d + "/list")
        equal([os.path.basename(t["name"]) for t in report["targets"]], ["a.tar", "b.tar", "c.tar"])
        with open(d + "/list") as f:
            equal(by_target(scan("image", "--from-file", "-", stdin=f)), {"b.tar": ["b"], "c.tar": ["c"]})


def test_one_that_fails_costs_only_itself():
    with Folder() as d:
        a, b = image(d + "/a.tar", ("a", "1")), image(d + "/b.tar", ("b", "1"))
        with open(b, "r+b") as f:
            f.truncate(os.path.getsize(b) - 9000)
        r = run("image", a, b, d + "/none.tar", "-f", "json", "--list-all-pkgs")
        equal(r.code, 4, r.err)
        equal(by_target(r.json()), {"a.tar": ["a"]})
        check("b.tar" in r.err and "none.tar" in r.err, r.err)


def test_lists_that_name_nothing():
    with Folder() as d:
        open(d + "/empty", "w").close()
        r = run("image", "--from-file", d + "/empty")
        check(r.code == 4 and "no image" in r.err, (r.code, r.err))
        r = run("image", "--from-file", d + "/none")
        check(r.code == 2 and "--from-file" in r.err, (r.code, r.err))
        r = run("image")
        check(r.code == 2 and "--help" in r.err, (r.code, r.err))


def leftovers(folder):
    """Files that are no entries: what a killed run left half-written."""
    return [p for p in glob.glob(folder + "/**/*", recursive=True) if p.endswith(".new")]


def test_twenty_at_once_half_of_them_killed():
    with Folder() as d:
        cache = d + "/cache"
        paths = [image(f"{d}/{i}.tar", (f"p{i}", "1"), (f"q{i}", "2"), pad=3000000) for i in range(5)]
        rng = random.Random(7)
        running = []
        for i in range(20):
            args = [PROGRAM, "image", paths[i % 5], "-f", "json", "--list-all-pkgs", "--cache-dir", cache, "-o", f"{d}/{i}.json"]
            p = subprocess.Popen(args, env=clean_env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            running.append((i, p, i % 2 == 1))
        for i, p, doomed in running:
            if doomed:
                time.sleep(rng.random() * 0.05)
                p.send_signal(signal.SIGKILL)
        for i, p, doomed in running:
            err = p.communicate(timeout=120)[1].decode()
            if not doomed:
                equal(p.returncode, 0, err)
                with open(f"{d}/{i}.json") as f:
                    equal(by_target(json.load(f)), {f"{i % 5}.tar": [f"p{i % 5}", f"q{i % 5}"]})
            elif os.path.exists(f"{d}/{i}.json"):
                # Killed after its report was whole, or before it began: never half a report.
                with open(f"{d}/{i}.json") as f:
                    json.load(f)
        # Nothing waits for a lock, and what is there now is right.
        start = time.monotonic()
        for i in range(5):
            equal(by_target(scan("image", paths[i], cache=cache)), {f"{i}.tar": [f"p{i}", f"q{i}"]})
        check(time.monotonic() - start < 60, "something waited")
        equal(leftovers(d), [])


def as_nobody(args, env):
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + args, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)


def test_a_home_that_cannot_be_written():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")
    with Folder() as d:
        os.chmod(d, 0o755)
        os.mkdir(d + "/home", 0o555)
        path = image(d + "/a.tar", ("a", "1"))
        env = clean_env({"HOME": d + "/home"})
        env.pop("XDG_CACHE_HOME", None)
        p = as_nobody([PROGRAM, "image", path, "-f", "json", "--list-all-pkgs"], env)
        if p.returncode == 126 or b"ermission denied" in p.stderr and not p.stdout:
            raise Skip("the program lies where nobody may not go")
        equal(p.returncode, 0, p.stderr)
        equal(by_target(json.loads(p.stdout)), {"a.tar": ["a"]})
        os.chmod(path, 0o600)
        p = as_nobody([PROGRAM, "image", path], env)
        check(p.returncode == 4 and b"Permission denied" in p.stderr, p.stderr)


def test_a_full_disk():
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small file system")
    with Folder() as d:
        os.mkdir(d + "/small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", d + "/small"], stderr=subprocess.DEVNULL).returncode:
            raise Skip("cannot mount here")
        try:
            with open(d + "/small/fill", "wb") as f:
                try:
                    f.write(b"x" * 65536)
                    f.flush()
                except OSError:
                    pass
            path = image(d + "/a.tar", ("a", "1"))
            # The cache costs time, never a scan.
            equal(by_target(scan("image", path, cache=d + "/small/cache")), {"a.tar": ["a"]})
            r = run("image", path, "-f", "json", "-o", d + "/small/report.json")
            check(r.code == 4 and "No space left" in r.err and "report.json" in r.err, (r.code, r.err))
            check(not os.path.exists(d + "/small/report.json"), "half a report is left")
        finally:
            subprocess.run(["umount", d + "/small"])


if __name__ == "__main__":
    main(globals())
