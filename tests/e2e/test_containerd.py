#!/usr/bin/env python3
"""containerd's store, read beside a living containerd (Debian's 1.6) with root, state and socket of its own: the same packages
and findings as from the archive that was imported, whichever way the daemon keeps the layers; while it writes; after it was
killed; and words where something is missing."""
import glob
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

MAKE_IMAGE = os.path.join(SOURCE, "tests", "support", "make_image.py")
NAME = "docker.io/library/web:1"
STATUS = "var/lib/dpkg/status"
STATUS_D = "var/lib/dpkg/status.d/"
SCANS = 40 if SANITIZED else 200

CONFIG = """version = 2
root = "{0}/root"
state = "{0}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{0}/sock"
[ttrpc]
  address = "{0}/sock.ttrpc"
"""


def layers():
    """Whiteouts, opaque folders and replaced files, each of which shows in the packages."""
    one = [("openssl", "3.0.9-1"), ("curl", "7.88.1-10"), ("gone", "1")]
    return [
        [entry("etc/os-release", OS_RELEASE), entry(STATUS, status(*one)), entry(STATUS_D + "old", status(("old", "1"))),
         entry("opq/below", b"x"), entry("usr/lib/a", b"x" * 5000)],
        [entry(STATUS, status(*one[:2], ("zlib1g", "1:1.2.13.dfsg-1"))), entry(STATUS_D + ".wh.old"),
         entry(STATUS_D + "second", status(("second", "2"))), entry("opq/.wh..wh..opq"), entry("opq/above", b"y")],
        [entry(STATUS_D + ".wh..wh..opq"), entry(STATUS_D + "third", status(("third", "3"))), entry("tmp/x", b"x")],
    ]


def archive(folder, content=None, name=NAME, file="image.tar", arch="amd64"):
    paths = []
    for i, l in enumerate(content or layers()):
        paths.append(os.path.join(folder, f"{file}.{i}"))
        with open(paths[-1], "wb") as f:
            f.write(layer_tar(l))
    out = os.path.join(folder, file)
    # The daemon puts the archive's base name in front, so that what is given here is a whole name.
    subprocess.run([sys.executable, MAKE_IMAGE, "oci-archive", out, *paths, "--compress", "gzip", "--name", name, "--arch", arch],
                   check=True)
    return out


class Containerd:
    """A daemon of our own; the program may not talk to it, only read its files."""

    def __init__(self, folder):
        for tool in ("containerd", "ctr"):
            if not shutil.which(tool):
                raise Skip(f"there is no {tool}")
        if os.geteuid() != 0:
            raise Skip("containerd wants root")
        self.folder, self.root = folder, os.path.join(folder, "root")
        with open(os.path.join(folder, "config.toml"), "w") as f:
            f.write(CONFIG.format(folder))
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(["containerd", "-c", os.path.join(self.folder, "config.toml")], stdout=self.log,
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        for _ in range(300):
            if self.ctr("version", ok=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise Skip("this containerd does not start here: " + open(self.log.name).read()[-300:])

    def stop(self, how="terminate"):
        getattr(self.process, how)()
        self.process.wait()
        self.log.close()

    def ctr(self, *args, ok=True, space="default", **kw):
        p = subprocess.run(["ctr", "-a", os.path.join(self.folder, "sock"), "-n", space, *args], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, stdin=kw.pop("stdin", subprocess.DEVNULL), **kw)
        if ok and p.returncode != 0:
            raise AssertionError(f"ctr {args}: {p.stdout.decode()}")
        return p

    def load(self, path, *args, space="default"):
        self.ctr("images", "import", "--all-platforms", *args, path, space=space)
        for name in self.names(space):
            if name.endswith("library/" + NAME):  # the daemon takes what the archive says for a short name
                self.ctr("images", "tag", "--force", name, NAME, space=space)
                self.ctr("images", "rm", name, space=space)

    def names(self, space="default"):
        return self.ctr("images", "ls", "-q", space=space).stdout.decode().split()

    def target(self, name=NAME):
        return f"containerd:{self.root}//{name}"

    def blobs(self):
        return glob.glob(os.path.join(self.root, "io.containerd.content.v1.content/blobs/sha256/*"))

    def drop_layers(self):
        """What discard_unpacked_layers does, and what a broken disk does."""
        for b in self.blobs():
            with open(b, "rb") as f:
                if f.read(2) == b"\x1f\x8b":
                    os.unlink(b)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        subprocess.run(["umount", "-q", *glob.glob(os.path.join(self.root, "tmpmounts", "*"))], stderr=subprocess.DEVNULL)


def facts(report):
    return json.dumps([packages(report), findings(report)], sort_keys=True)


def note_of(report):
    return " ".join(n for t in report["targets"] for n in t.get("notes", []))


def needs_trusted():
    probe = tempfile.mkdtemp(prefix="plimsoll-test-")
    try:
        os.setxattr(probe, "trusted.plimsoll", b"y")
    except OSError:
        raise Skip("trusted attributes cannot be set here")
    finally:
        os.rmdir(probe)


def compare(what, *load, drop=False, in_place=None):
    with Folder() as d, Containerd(d) as c:
        tar = archive(d)
        want = scan("image", "oci-archive:" + tar)
        check(len(findings(want)) > 0 and len(packages(want)) == 4, f"the image shows too little: {packages(want)}")
        c.load(tar, *load)
        if drop:
            c.drop_layers()
        got = scan("image", c.target())
        equal(facts(got), facts(want), what)
        equal(got["targets"][0]["digest"], want["targets"][0]["digest"], what)
        check(f"containerd's store in {c.root}, namespace default" in note_of(got), note_of(got))
        if in_place is not None:
            equal("read in place" in note_of(got), in_place, what + ": " + note_of(got))


def test_snapshots_of_overlayfs():
    needs_trusted()
    compare("overlayfs", "--snapshotter", "overlayfs", in_place=True)


def test_snapshots_of_overlayfs_alone():
    needs_trusted()
    compare("overlayfs without blobs", "--snapshotter", "overlayfs", drop=True, in_place=True)


def test_snapshots_of_native_beside_blobs():
    compare("native", "--snapshotter", "native", in_place=False)


def test_snapshots_of_native_alone():
    compare("native without blobs", "--snapshotter", "native", drop=True, in_place=True)


def test_blobs_alone():
    compare("blobs", "--no-unpack", in_place=False)


def test_after_the_daemon_was_killed():
    needs_trusted()
    with Folder() as d, Containerd(d) as c:
        tar = archive(d)
        c.load(tar, "--snapshotter", "overlayfs")
        want = facts(scan("image", "oci-archive:" + tar))
        c.stop("kill")
        equal(facts(scan("image", c.target())), want, "after kill -9")


def test_while_the_daemon_writes():
    needs_trusted()
    with Folder() as d, Containerd(d) as c:
        tar = archive(d)
        c.load(tar, "--snapshotter", "overlayfs")
        want, stop, writes = facts(scan("image", "oci-archive:" + tar)), threading.Event(), [0]

        def write():
            while not stop.is_set():
                c.ctr("images", "tag", "--force", NAME, f"docker.io/library/tag-{writes[0] % 400}:x")
                writes[0] += 1

        writers = [threading.Thread(target=write) for _ in range(2)]
        for w in writers:
            w.start()
        try:
            for i in range(SCANS):
                equal(facts(scan("image", c.target())), want, f"scan {i}")
        finally:
            stop.set()
            for w in writers:
                w.join()
        check(writes[0] > SCANS // 4, f"only {writes[0]} writes beside {SCANS} scans")
        # Some hundred names fill several pages: each is found.
        names = c.names()
        check(len(names) > 20, f"{names}")
        for name in names[:: max(1, len(names) // 20)]:
            equal(facts(scan("image", c.target(name))), want, name)


def test_while_the_image_comes_and_goes():
    """Removed and unpacked anew under the reader: the right answer or an error, never half of one."""
    needs_trusted()
    with Folder() as d, Containerd(d) as c:
        big = layers()
        big[0] += [entry(f"usr/share/{i:05}", b"z") for i in range(3000)]
        tar = archive(d, big)
        c.load(tar, "--snapshotter", "overlayfs")
        want, stop, rounds = facts(scan("image", "oci-archive:" + tar)), threading.Event(), [0]

        def churn():
            while not stop.is_set():
                c.ctr("images", "rm", "--sync", *c.names(), ok=False)
                c.load(tar, "--snapshotter", "overlayfs")
                rounds[0] += 1

        writer = threading.Thread(target=churn)
        writer.start()
        right, end = 0, time.time() + 90
        try:
            while (rounds[0] < 5 or right < 5) and time.time() < end:
                r = run("image", c.target(), "-f", "json", "--list-all-pkgs")
                if r.code == 0:
                    equal(facts(r.json()), want, "while it comes and goes")
                    right += 1
                else:
                    equal(r.code, 4, r.err)
        finally:
            stop.set()
            writer.join()
        check(rounds[0] > 2 and right > 0, f"{rounds[0]} rounds, {right} answers")


def test_nothing_left_of_a_layer():
    with Folder() as d, Containerd(d) as c:
        c.load(archive(d), "--no-unpack")
        c.drop_layers()
        r = run("image", c.target())
        equal(r.code, 4, r.err)
        check("layer 1 of 3" in r.err and "discarded after it was unpacked, or never pulled whole" in r.err, r.err)


def test_a_layer_that_is_being_downloaded():
    with Folder() as d, Containerd(d) as c:
        c.load(archive(d), "--no-unpack")
        gone = {os.path.basename(b) for b in c.blobs()}
        c.drop_layers()
        gone -= {os.path.basename(b) for b in c.blobs()}
        feeders = [subprocess.Popen(["ctr", "-a", os.path.join(d, "sock"), "content", "ingest", f"layer-sha256:{h}"],
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for h in gone]
        try:
            for f in feeders:
                f.stdin.write(b"x" * 100)
                f.stdin.flush()
            for _ in range(100):
                if len(glob.glob(os.path.join(c.root, "io.containerd.content.v1.content/ingest/*/ref"))) == len(gone):
                    break
                time.sleep(0.1)
            r = run("image", c.target())
            equal(r.code, 4, r.err)
            check("is being downloaded at the moment" in r.err, r.err)
            r = run("image", c.target("other:1"))
            equal(r.code, 4, r.err)
            check("a pull is under way there" in r.err, r.err)
        finally:
            for f in feeders:
                f.kill()
                f.wait()


def test_a_changed_blob():
    with Folder() as d, Containerd(d) as c:
        c.load(archive(d), "--no-unpack")
        for b in c.blobs():
            with open(b, "r+b") as f:
                if f.read(2) == b"\x1f\x8b":
                    f.seek(-1, os.SEEK_END)
                    f.write(b"\xff")
        r = run("image", c.target())
        equal(r.code, 4, r.err)


def two_platforms(folder):
    """An OCI archive with one index for amd64 and arm64."""
    path = os.path.join(folder, "two")
    entries = []
    for arch in ("amd64", "arm64"):
        tar = layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status((arch, "1")))])
        config = json.dumps({"architecture": arch, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha(tar)]}}).encode()
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                               "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha(config),
                                          "size": len(config)},
                               "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha(tar),
                                           "size": len(tar)}]}).encode()
        for blob in (tar, config, manifest):
            entries.append((f"blobs/sha256/{sha(blob)[7:]}", blob))
        entries.append((arch, manifest))
    manifests = dict(e for e in entries if not e[0].startswith("blobs"))
    media = "application/vnd.oci.image.manifest.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                        "manifests": [{"mediaType": media, "digest": sha(m), "size": len(m),
                                       "platform": {"os": "linux", "architecture": a}} for a, m in manifests.items()]}).encode()
    top = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
                                                         "digest": sha(index), "size": len(index),
                                                         "annotations": {"org.opencontainers.image.ref.name": NAME,
                                                                         "io.containerd.image.name": NAME}}]}).encode()
    members = [entry(n, c) for n, c in entries if n.startswith("blobs")]
    members += [entry(f"blobs/sha256/{sha(index)[7:]}", index), entry("index.json", top),
                entry("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]
    with open(path, "wb") as f:
        f.write(layer_tar(members))
    return path, sha(manifests["arm64"])[7:]


def test_an_index_of_which_one_platform_was_pulled():
    with Folder() as d, Containerd(d) as c:
        path, arm = two_platforms(d)
        c.load(path, "--no-unpack")
        name = NAME
        for arch in ("amd64", "arm64"):
            report = scan("image", c.target(name), "--platform", f"linux/{arch}")
            equal([p[1] for p in packages(report)], [arch], arch)
        os.unlink(os.path.join(c.root, "io.containerd.content.v1.content/blobs/sha256", arm))
        equal([p[1] for p in packages(scan("image", c.target(name)))], ["amd64"], "the one that is there")
        r = run("image", c.target(name), "--platform", "linux/arm64")
        equal(r.code, 4, r.err)
        check("linux/arm64, not pulled" in r.err and "there is linux/amd64" in r.err, r.err)


def test_namespaces():
    with Folder() as d, Containerd(d) as c:
        one = archive(d, file="one.tar")
        two = archive(d, layers()[:1], file="two.tar")
        c.load(one, "--no-unpack")
        c.load(two, "--no-unpack", space="k8s.io")
        r = run("image", c.target())
        equal(r.code, 2, r.err)
        check("default//" + NAME in r.err and "k8s.io//" + NAME in r.err, r.err)
        first, second = facts(scan("image", "oci-archive:" + one)), facts(scan("image", "oci-archive:" + two))
        equal(facts(scan("image", c.target("default//web:1"))), first, "default")
        equal(facts(scan("image", c.target("k8s.io//web:1"))), second, "k8s.io")
        equal(facts(scan("image", c.target("web:1"), env={"CONTAINERD_NAMESPACE": "k8s.io"})), second, "by environment")
        r = run("image", c.target("web:1"), env={"CONTAINERD_NAMESPACE": "none"})
        equal(r.code, 4, r.err)
        check("no namespace none" in r.err, r.err)


def test_containers():
    needs_trusted()
    with Folder() as d, Containerd(d) as c:
        tar = archive(d)
        image = scan("image", "oci-archive:" + tar)
        for snapshotter, files in (("overlayfs", "/fs"), ("native", "")):
            c.load(tar, "--snapshotter", snapshotter)
            id_ = "box-" + snapshotter
            c.ctr("containers", "create", "--snapshotter", snapshotter, "--label", f"io.kubernetes.container.name={snapshotter}-web",
                  "--label", "io.kubernetes.pod.name=web-1", "--label", "io.kubernetes.pod.namespace=shop", NAME, id_, "sh")
            equal(facts(scan("image", f"container:{c.root}//{id_}")), facts(image), id_)
            top = max(glob.glob(f"{c.root}/io.containerd.snapshotter.v1.{snapshotter}/snapshots/*"), key=lambda p: int(p.split("/")[-1]))
            path = os.path.join(top + files, STATUS_D)
            os.makedirs(path, exist_ok=True)
            with open(os.path.join(path, "own"), "wb") as f:
                f.write(status(("own", "1")))
            os.makedirs(os.path.join(top + files, "opq"), exist_ok=True)
            for name in (id_, id_[:-2], snapshotter + "-web", f"web-1/{snapshotter}-web", f"shop/web-1/{snapshotter}-web"):
                report = scan("image", f"container:{c.root}//{name}")
                own = [p for p in packages(report) if p[1] == "own"]
                equal(own, [["deb", "own", "1", "amd64", "own", "1", "container"]], name)
                equal([p for p in packages(report) if p[1] != "own"], packages(image), name)
        # The image's name goes, the container stays, and with it what it runs on.
        c.ctr("images", "rm", "--sync", *c.names())
        report = scan("image", f"container:{c.root}//box-overlayfs")
        equal([p[:4] for p in packages(report) if p[1] != "own"], [p[:4] for p in packages(image)], "without its image")
        check("not in the store any more" in note_of(report), note_of(report))
        r = run("image", f"container:{c.root}//nobody")
        equal(r.code, 4, r.err)
        check('no container "nobody"' in r.err, r.err)


def test_without_the_capability_for_trusted_attributes():
    needs_trusted()
    if not shutil.which("setpriv"):
        raise Skip("there is no setpriv")
    with Folder() as d, Containerd(d) as c:
        tar = archive(d)
        c.load(tar, "--snapshotter", "overlayfs")
        less = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", PROGRAM, "image", "--no-cache", "-f", "json",
                "--list-all-pkgs", c.target()]
        p = subprocess.run(less, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env())
        equal(p.returncode, 0, p.stderr)
        report = json.loads(p.stdout)
        equal(facts(report), facts(scan("image", "oci-archive:" + tar)), "from blobs")
        check("read in place" not in note_of(report), note_of(report))
        c.drop_layers()
        p = subprocess.run(less, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env())
        check(p.returncode == 4 and p.stderr, f"{p.returncode} {p.stderr}")


def test_not_root():
    if not shutil.which("setpriv"):
        raise Skip("there is no setpriv")
    with Folder() as d, Containerd(d) as c:
        c.load(archive(d), "--no-unpack")
        os.chmod(d, 0o755)
        p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "image", "--no-cache",
                            c.target()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env())
        if b"failed to execute" in p.stderr:
            raise Skip("nobody cannot reach the program here")
        equal(p.returncode, 4, p.stderr)
        check(b"containerd's store is root's" in p.stderr, p.stderr)


def test_all_images_in_the_default_place():
    """In a mount namespace of its own, so that this machine's engines are neither seen nor touched."""
    with Folder() as d, Containerd(d) as c:
        c.load(archive(d), "--no-unpack")
        c.load(archive(d, layers()[:1], file="two.tar"), "--no-unpack", space="k8s.io")
        # As the CRI plugin does: the image under its digest and its id, too. It is listed once, under its tag.
        for name in ("docker.io/library/a@sha256:" + "0" * 64, "abc@sha256:" + "1" * 64):
            c.ctr("images", "tag", NAME, name, space="k8s.io")
        etc = os.path.join(d, "etc", "containerd")
        os.makedirs(etc)
        hide = f"mount -t tmpfs none /run && mount -t tmpfs none /var/lib && mount -t overlay -o lowerdir={d}/etc:/etc none /etc"
        if subprocess.run(["unshare", "-m", "sh", "-c", hide], stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("no mount namespace with a /var/lib of its own here")

        def inside(script):
            p = subprocess.run(["unshare", "-m", "sh", "-c", hide + " && " + script, "sh", PROGRAM], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=clean_env({"HOME": "/nonexistent"}))
            equal(p.returncode, 0, p.stderr)
            return json.loads(p.stdout)

        report = inside(f"mkdir /var/lib/containerd && mount --bind {c.root} /var/lib/containerd && "
                        '"$1" image --no-cache --all -f json --list-all-pkgs')
        equal(sorted(t["name"] for t in report["targets"]),
              ["containerd:default//" + NAME, "containerd:k8s.io//" + NAME], "--all")
        with open(os.path.join(etc, "config.toml"), "w") as f:
            f.write(f'version = 2\nroot = "{c.root}"\n')
        report = inside('"$1" image --no-cache -f json default//web:1')
        check(f"in {c.root}," in note_of(report), "config.toml's root is not used")


def test_no_store_and_a_broken_one():
    with Folder() as d:
        r = run("image", f"containerd:{d}//web:1")
        equal(r.code, 4, r.err)
        check("no containerd: there is no" in r.err, r.err)
        os.makedirs(os.path.join(d, "io.containerd.metadata.v1.bolt"))
        for content in (b"", b"x" * 100000):
            with open(os.path.join(d, "io.containerd.metadata.v1.bolt", "meta.db"), "wb") as f:
                f.write(content)
            r = run("image", f"containerd:{d}//web:1")
            equal(r.code, 4, r.err)
            check("meta.db: " in r.err, r.err)


if __name__ == "__main__":
    main(globals())
