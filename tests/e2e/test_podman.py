#!/usr/bin/env python3
"""containers/storage read in place: stores that podman, buildah and skopeo made, of every driver and owner, give what
`podman save` of the same image gives; stores that nobody would make end with a word."""
import base64
import fcntl
import glob
import os
import pwd
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

INVENTORY = os.path.join(SHARED, "inventories", "debian-12")
STATUS = "var/lib/dpkg/status"
USER = "plimsoll-e2e"
FLAVOURS = ("vfs", "native", "fuse")


def need(*tools, root=True):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is missing")
    if root and os.geteuid() != 0:
        raise Skip("not root")


def need_xattr(folder):
    try:
        os.setxattr(folder, "user.plimsoll", b"x")
        os.removexattr(folder, "user.plimsoll")
    except OSError:
        raise Skip("no user attributes on this file system")


def sh(*args, env=None, **kw):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120,
                       env=dict(os.environ, **(env or {})), **kw)
    if p.returncode != 0:
        raise AssertionError(f"{args}: {p.returncode}: {p.stderr.decode()[-2000:]}")
    return p.stdout.decode().strip()


def folder(name):
    return entry(name, kind="dir", mode=0o755)


def folders(path):
    parts = path.split("/")
    return [folder("/".join(parts[:i + 1])) for i in range(len(parts))]


def hard_layers():
    """Seven layers of whiteouts, opaque folders, replaced types, and a package folder that moves behind a link."""
    full = status(*[(f"package{i}", f"{i}.1-1") for i in range(40)], ("openssl", "3.0.11-1~deb12u1"), ("bash", "5.2.15-2"))
    os_release = OS_RELEASE
    if os.path.isdir(INVENTORY):
        full = open(os.path.join(INVENTORY, STATUS), "rb").read()
        os_release = open(os.path.join(INVENTORY, "etc/os-release"), "rb").read()
    stanzas = full.split(b"\n\n")
    half = b"\n\n".join(stanzas[:len(stanzas) // 2]) + b"\n\n"
    most = b"\n\n".join(stanzas[:-20]) + b"\n\n"
    d = "var/lib/dpkg/status.d"
    return [layer_tar(l) for l in (
        [*folders("etc"), entry("etc/os-release", os_release), *folders(os.path.dirname(STATUS)), entry(STATUS, half),
         *folders("opt/gone"), entry("opt/gone/x", b"x"), *folders("srv/opaque/deep"), entry("srv/opaque/deep/x", b"x"),
         folder("srv/file"), entry("srv/file/x", b"x")],
        [*folders(d), entry(d + "/extra", status(("extra", "1.0-1"))), entry(d + "/hidden", status(("hidden", "1.0-1")))],
        [*folders("opt"), entry("opt/.wh.gone"), *folders("srv/opaque"), entry("srv/opaque/.wh..wh..opq"),
         entry("srv/opaque/new", b"n"), entry("srv/file", b"now a file")],
        [*folders(os.path.dirname(STATUS)), entry(STATUS, most)],
        # The database's folder moves behind a link: what stood there is gone.
        [*folders("usr/share/database"), entry("usr/share/database/status", full)],
        [*folders("var/lib"), entry("var/lib/dpkg", kind="symlink", link="../../usr/share/database")],
        [*folders("usr/share/database/status.d"), entry("usr/share/database/status.d/later", status(("later", "2.0-1")))],
    )]


def archive(d):
    return docker_archive(os.path.join(d, "hard.tar"), hard_layers(), name="localhost/hard:1")


def options(flavour):
    driver = "vfs" if flavour == "vfs" else "overlay"
    return driver, ["overlay.mount_program=/usr/bin/fuse-overlayfs"] if flavour == "fuse" else []


class Store:
    """A store of one flavour below d; everything that engines mount there is unmounted at its end."""
    def __init__(self, d, flavour):
        self.root, self.run = f"{d}/{flavour}", f"{d}/{flavour}-run"
        self.driver, self.options = options(flavour)
        self.engine = ["--root", self.root, "--runroot", self.run, "--storage-driver", self.driver]
        for o in self.options:
            self.engine += ["--storage-opt", o]
        # podman's own files beside the store
        self.env = {"XDG_RUNTIME_DIR": d, "TMPDIR": d}

    def __enter__(self):
        return self

    def engines_run(self):
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f:
                    if self.root.encode() in f.read():
                        return True
            except OSError:
                pass
        return False

    def __exit__(self, *_):
        # What cleans up behind a container does so a little later, and mounts for it.
        for _ in range(100):
            if not self.engines_run():
                break
            time.sleep(0.1)
        with open("/proc/self/mounts") as f:
            mounts = [line.split()[1] for line in f]
        for m in reversed(mounts):
            if m.startswith((self.root + "/", self.run + "/")):
                subprocess.run(["umount", "-l", m], stderr=subprocess.DEVNULL)

    def name(self, image):
        more = ":" + ",".join(self.options) if self.options else ""
        return f"containers-storage:[{self.driver}@{self.root}+{self.run}{more}]{image}"

    def target(self, image):
        return f"podman:[{self.driver}@{self.root}]{image}"

    def fill(self, path, image="localhost/hard:1"):
        sh("skopeo", "copy", "-q", path, self.name(image), env=self.env)
        return self

    def podman(self, *args, **kw):
        return sh("podman", *self.engine, *args, env=self.env, **kw)

    def buildah(self, *args, **kw):
        return sh("buildah", *self.engine, *args, env=self.env, **kw)


def same(got, expect, what):
    equal(packages(got), packages(expect), what + ": packages")
    equal(findings(got), findings(expect), what + ": findings")
    equal([l["diff_id"] for l in got["targets"][0]["layers"]], [l["diff_id"] for l in expect["targets"][0]["layers"]], what)


def flavours():
    return [f for f in FLAVOURS if f != "fuse" or shutil.which("fuse-overlayfs")]


# --- root's stores --------------------------------------------------------------------------------------------------

def test_stores_of_every_driver_give_what_podman_save_gives():
    need("podman", "skopeo")
    with Folder() as d:
        tar = archive(d)
        expect = scan("image", tar)
        names = {p[1] for p in packages(expect)}
        check("later" in names and "hidden" not in names and "extra" not in names, names)
        check(len({p[6] for p in packages(expect)}) >= 3, "the packages come of several layers")
        for flavour in flavours():
            with Store(d, flavour) as s:
                s.fill("docker-archive:" + tar)
                saved = f"{d}/{flavour}.tar"
                s.podman("save", "-o", saved, "localhost/hard:1")
                same(scan("image", saved), expect, flavour + " saved")
                got = scan("image", s.target("hard:1"))
                same(got, expect, flavour)
                check(any(f"Podman's {s.driver} store in {s.root}" in n for n in got["targets"][0]["notes"]), "where from")
                check(any("not checked against digests" in n for n in got["targets"][0]["notes"]), "what was not checked")
                check(not any("lock" in n for n in got["targets"][0]["notes"]), "the lock was had")


def test_layers_that_were_pushed_as_zstd():
    need("skopeo")
    with Folder() as d:
        tar = archive(d)
        sh("skopeo", "copy", "-q", "--format", "oci", "--dest-compress-format", "zstd", "docker-archive:" + tar,
           f"oci:{d}/zstd:1")
        for flavour in flavours():
            with Store(d, flavour) as s:
                s.fill(f"oci:{d}/zstd:1", "quay.io/a/zstd:1")
                got = scan("image", s.target("quay.io/a/zstd:1"))
                same(got, scan("image", tar), flavour)
                check(all(l["digest"] != l["diff_id"] for l in got["targets"][0]["layers"]), "blobs are zstd")


def test_a_real_build_with_deletions():
    """Layers that buildah commits from a mounted container: its engine writes the whiteouts, not the unpacking."""
    need("podman", "buildah", "skopeo")
    with Folder() as d:
        tar = archive(d)
        for flavour in flavours():
            with Store(d, flavour) as s:
                s.fill("docker-archive:" + tar)
                c = s.buildah("from", "localhost/hard:1")
                m = s.buildah("mount", c)
                shutil.rmtree(m + "/usr/share/database/status.d")
                os.mkdir(m + "/usr/share/database/status.d")
                with open(m + "/usr/share/database/status.d/built", "wb") as f:
                    f.write(status(("built", "3.0-1")))
                os.rename(m + "/srv/opaque/new", m + "/srv/moved")
                s.buildah("umount", c)
                live = scan("image", f"container:[{s.driver}@{s.root}]{c}")
                s.buildah("commit", "-q", c, "localhost/built:1")
                saved = f"{d}/built-{flavour}.tar"
                s.podman("save", "-o", saved, "localhost/built:1")
                expect = scan("image", saved)
                names = {p[1] for p in packages(expect)}
                check("built" in names and "later" not in names, flavour)
                same(scan("image", s.target("built:1")), expect, flavour + " committed")
                # The container before the commit: the same packages, the last layer under another name.
                top = expect["targets"][0]["layers"][-1]["diff_id"]
                equal(packages(live), sorted(p[:6] + ["container" if p[6] == top else p[6]] for p in packages(expect)),
                      flavour + " container")
                equal(findings(live), findings(expect), flavour + " container's findings")


def static_program(d):
    source, program = f"{d}/wait.c", f"{d}/wait"
    with open(source, "w") as f:
        f.write('#include <fcntl.h>\n#include <unistd.h>\nint main(void) { unlink("/usr/share/database/status.d/later");'
                ' int f = open("/usr/share/database/status.d/running", O_CREAT | O_WRONLY, 0644);'
                ' if (write(f, "Package: running\\nStatus: install ok installed\\nVersion: 1\\nArchitecture: all\\n\\n", 78) < 0)'
                ' return 1; close(f); open("/ready", O_CREAT | O_WRONLY, 0644); sleep(120); return 0; }\n')
    if not shutil.which("gcc") or subprocess.run(["gcc", "-static", "-O", source, "-o", program],
                                                 stderr=subprocess.DEVNULL).returncode:
        raise Skip("no static program can be built")
    return program


def test_a_running_container():
    need("podman", "buildah", "skopeo")
    with Folder() as d:
        static_program(d)
        tar = archive(d)
        with Store(d, "native") as s:
            s.fill("docker-archive:" + tar)
            with open(f"{d}/Dockerfile", "w") as f:
                f.write("FROM localhost/hard:1\nCOPY wait /wait\n")
            s.buildah("bud", "-q", "-t", "localhost/wait:1", d)
            try:
                cid = s.podman("run", "-d", "--name", "live", "--network=none", "--ulimit", "nofile=512:512", "--ulimit",
                               "nproc=512:512", "localhost/wait:1", "/wait")
            except AssertionError as why:
                raise Skip("podman cannot run a container here: " + str(why)[-200:])
            try:
                for _ in range(100):
                    if glob.glob(s.root + "/overlay/*/diff/ready"):
                        break
                    time.sleep(0.1)
                for name in ("live", cid, cid[:12]):
                    got = scan("image", f"container:[{s.root}]{name}")
                    layers = {p[1]: p[6] for p in packages(got)}
                    equal(layers.get("running"), "container", name)
                    check("later" not in layers, "deleted in the container")
                    equal(len(packages(got)), len(packages(scan("image", s.target("wait:1")))), "one more, one less")
                    equal(got["targets"][0]["layers"][-1]["diff_id"], "container")
                r = run("image", f"container:[{s.root}]nobody")
                equal(r.code, 4)
                check("no such container" in r.err, r.err)
            finally:
                s.podman("rm", "-f", "-t", "0", "live")


# --- stores of an ordinary user -------------------------------------------------------------------------------------

class User:
    """An ordinary user with subordinate ids, made for the test, in a folder that he may read."""
    def __enter__(self):
        need("useradd", "su", "newuidmap", "buildah", "skopeo")
        self.path = tempfile.mkdtemp(prefix="plimsoll-user-")
        os.chmod(self.path, 0o755)
        self.home = self.path + "/home"
        subprocess.run(["userdel", USER], stderr=subprocess.DEVNULL)
        self.made = subprocess.run(["useradd", "-m", "-d", self.home, USER], stderr=subprocess.DEVNULL).returncode == 0
        if not self.made:
            self.__exit__()
            raise Skip("no user can be made")
        shutil.copy(PROGRAM, self.path + "/plimsoll")
        shutil.copy(clean_env()["PLIMSOLL_DB"], self.path + "/db")
        return self

    def __exit__(self, *_):
        if self.made:
            uid = pwd.getpwnam(USER).pw_uid
            for p in os.listdir("/proc"):
                # Only what this test's own user has left running (buildah's and podman's pause processes).
                if p.isdigit() and os.path.exists(f"/proc/{p}") and os.stat(f"/proc/{p}").st_uid == uid:
                    try:
                        os.kill(int(p), 9)
                    except ProcessLookupError:
                        pass
            subprocess.run(["userdel", USER], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.path, ignore_errors=True)

    def sh(self, script, check_=True):
        head = f"cd; unset CONTAINERS_STORAGE_CONF; export XDG_RUNTIME_DIR=$HOME/run PLIMSOLL_DB={self.path}/db; " \
               "mkdir -p -m 700 $HOME/run $HOME/.config/containers; "
        # In a mount namespace of its own, where /dev/fuse is open to everybody as distributions have it.
        fuse = f"{self.path}/fuse"
        outer = f'mount --bind {fuse} /dev/fuse || true; exec su {USER} -s /bin/sh -c "$1"'
        if not os.path.exists(fuse):
            subprocess.run(["mknod", "-m", "666", fuse, "c", "10", "229"], stderr=subprocess.DEVNULL)
        p = subprocess.run(["unshare", "-m", "sh", "-c", outer, "sh", head + script], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240)
        if check_ and p.returncode != 0:
            raise AssertionError(f"{script}: {p.returncode}: {p.stderr.decode()[-1500:]}")
        return Result(p.returncode, p.stdout.decode(), p.stderr.decode())

    def conf(self, text):
        path = self.home + "/.config/containers"
        os.makedirs(path, exist_ok=True)
        with open(path + "/storage.conf", "w") as f:
            f.write(text)

    def scan(self, target):
        return self.sh(f"{self.path}/plimsoll image '{target}' -f json --list-all-pkgs --no-cache").json()


def test_stores_of_an_ordinary_user():
    need("buildah", "skopeo")
    with User() as u:
        tar = archive(u.path)
        expect = scan("image", tar)
        if u.sh("buildah unshare true", check_=False).code:
            raise Skip("no user namespaces for ordinary users")
        for flavour in flavours():
            driver, opts = options(flavour)
            u.conf(f'[storage]\ndriver = "{driver}"\nrunroot = "$HOME/rr-{flavour}"\ngraphroot = "$HOME/{flavour}"\n'
                   '[storage.options]\nadditionalimagestores = [\n]\n' +
                   ('[storage.options.overlay]\nmount_program = "/usr/bin/fuse-overlayfs" # needed\n' if opts else ""))
            r = u.sh(f"buildah pull -q docker-archive:{tar}", check_=False)
            if r.code:
                raise Skip("buildah cannot pull here: " + r.err[-200:])
            root = f"{u.home}/{flavour}"
            check(os.path.isdir(f"{root}/{driver}-images"), "the store is where storage.conf says")
            marks = []
            for path, names, _ in os.walk(root):
                marks += [a for n in names for a in os.listxattr(os.path.join(path, n), follow_symlinks=False)]
            if flavour == "native":
                check("user.overlay.opaque" in marks, "opaque folders as overlay marks them for users")
            if flavour == "fuse":
                check(glob.glob(root + "/overlay/*/diff/opt/.wh.gone"), "whiteouts as fuse-overlayfs marks them")
            same(u.scan("hard:1"), expect, flavour)
            same(u.scan("podman:localhost/hard:1"), expect, flavour)
            # Root reads it too, where it is named.
            same(scan("image", f"podman:[{root}]hard:1"), expect, flavour + " as root")
            # A container of his own, written through the driver's own mount.
            u.sh("set -e; buildah from --name mine localhost/hard:1; buildah unshare sh -c 'set -e; m=$(buildah mount mine); "
                 "test -d $m/usr/share/database; rm -r $m/usr/share/database/status.d; mkdir $m/usr/share/database/status.d; "
                 "printf \"Package: mine\\nStatus: install ok installed\\nVersion: 1\\nArchitecture: all\\n\\n\" "
                 "> $m/usr/share/database/status.d/mine; buildah umount mine'")
            got = u.scan("container:mine")
            layers = {p[1]: p[6] for p in packages(got)}
            equal(layers.get("mine"), "container", flavour)
            check("later" not in layers, flavour + ": the folder was replaced")
            equal(len(packages(got)), len(packages(expect)), flavour)
            u.sh("buildah commit -q mine localhost/mine:1")
            u.sh(f"rm -f {flavour}.tar; skopeo copy -q containers-storage:localhost/mine:1 docker-archive:$HOME/{flavour}.tar")
            same(u.scan("mine:1"), scan("image", f"{u.home}/{flavour}.tar"), flavour + " committed")
            u.sh("buildah rm mine")


def test_a_store_of_somebody_else():
    need("useradd", "su", "newuidmap", "buildah", "skopeo")
    with User() as u:
        tar = archive(u.path)
        with Store(u.path, "native") as s:
            s.fill("docker-archive:" + tar)
            r = u.sh(f"{u.path}/plimsoll image 'podman:[{s.root}]hard:1' --no-cache", check_=False)
            equal(r.code, 4)
            check("may not be read by this user" in r.err, r.err)
        # His own default store is not there.
        r = u.sh(f"{u.path}/plimsoll image podman:hard:1 --no-cache", check_=False)
        equal(r.code, 4)
        check(f"no store in {u.home}/.local/share/containers/storage" in r.err, r.err)


# --- names ----------------------------------------------------------------------------------------------------------

def test_names_as_podman_takes_them():
    need("podman", "buildah", "skopeo")
    with Folder() as d, Store(d, "native") as s:
        tar = archive(d)
        s.fill("docker-archive:" + tar, "localhost/hard:1")
        s.podman("tag", "localhost/hard:1", "docker.io/library/short:latest", "quay.io/team/app:2", "docker.io/team/own:1")
        small = docker_archive(f"{d}/small.tar", [layer_tar([*folders("etc"), entry("etc/os-release", OS_RELEASE)])])
        s.fill("docker-archive:" + small, "quay.io/team/short:latest")
        image = json.loads(s.podman("inspect", "localhost/hard:1"))[0]
        full = image["Id"]
        for name in ("hard:1", "localhost/hard:1", "short", "short:latest", "docker.io/short", "docker.io/library/short",
                     "index.docker.io/library/short", "team/own:1", "docker.io/team/own:1", "app:2", "quay.io/team/app:2",
                     full, "sha256:" + full, full[:12], full[:6], "hard@" + image["Digest"],
                     "hard:9@" + image["Digest"], "quay.io/team/app@" + image["Digest"]):
            got = scan("image", s.target(name))
            equal(len(got["targets"][0]["layers"]), 7, name)
            equal(got["targets"][0]["digest"], image["Digest"], name)
            # As podman sees it, too (but for what its registries.conf would have to name).
            if name not in ("app:2",):
                equal(json.loads(s.podman("image", "inspect", name))[0]["Id"], full, "podman: " + name)
        equal(len(scan("image", s.target("quay.io/team/short"))["targets"][0]["layers"]), 1)
        for name in ("hard", "hard:2", "1", "latest", "quay.io/hard:1", "ard:1", full[:3], "sha256:" + "0" * 64,
                     "hard@sha256:" + "0" * 64, "docker.io/library/hard:1", "app", "HARD:1", "hard:1 ", "../hard:1"):
            r = run("image", s.target(name))
            equal(r.code, 4, name)
            check("no such image" in r.err, f"{name}: {r.err}")
        # Of several that are as good none is taken.
        s.podman("tag", "quay.io/team/short:latest", "quay.io/one/same:1")
        s.podman("tag", "localhost/hard:1", "quay.io/two/same:1")
        r = run("image", s.target("same:1"))
        equal(r.code, 2, r.err)
        check("several" in r.err, r.err)
        r = run("image", s.target("hard:1"), "--platform", "linux/arm64")
        equal(r.code, 4)
        check("is for linux/amd64, not for linux/arm64" in r.err, r.err)


def test_lists_and_manifest_lists():
    need("buildah", "skopeo")
    with Folder() as d, Store(d, "native") as s:
        tar = archive(d)
        s.fill("docker-archive:" + tar, "localhost/hard:1")
        small = docker_archive(f"{d}/small.tar", [layer_tar([*folders("etc"), entry("etc/os-release", OS_RELEASE)])])
        s.fill("docker-archive:" + small, "localhost/small:1")
        s.buildah("manifest", "create", "localhost/many:1")
        s.buildah("manifest", "add", "localhost/many:1", s.name("localhost/hard:1"))
        same(scan("image", s.target("many:1"), "--platform", "linux/amd64"), scan("image", tar), "by a list")
        r = run("image", s.target("many:1"), "--platform", "linux/s390x")
        check(r.code == 4 and "none is for linux/s390x" in r.err, r.err)
        conf = f"{d}/storage.conf"
        with open(conf, "w") as f:
            f.write(f'[storage]\ndriver = "overlay"\ngraphroot = "{s.root}"\nrunroot = "{s.run}"\n')
        env = {"CONTAINERS_STORAGE_CONF": conf}
        r = run("image", "--all", "-f", "json", env=env)
        equal(r.code, 0, r.err)
        names = [t["name"] for t in r.json()["targets"]]
        check({"podman:localhost/hard:1", "podman:localhost/small:1"} <= set(names), names)
        check("podman:localhost/many:1" not in names, names)
        same(scan("image", "hard:1", env=env), scan("image", tar), "without a prefix")
        # The store as an additional one of an empty store, with what TOML allows.
        with open(conf, "w") as f:
            f.write(f'# comment\nstorage.driver = "overlay" # here too\n[storage.options]\nsize = ""\n"additionalimagestores"'
                    f' = [ # several\n  "/nowhere",\n  \'{s.root}\', # ours\n]\n[storage.options.overlay]\nnumber = 0x1f\n'
                    f'mountopt = "nodev"\n')
        same(scan("image", "hard:1", env=env), scan("image", tar), "additional store")
        for line in ('graphroot = """x"""', "graphroot = 3", "graphroot", "[storage", 'graphroot = "x', "graphroot = {a=1}",
                     'graphroot = "\\u0041"', "graphroot = [[[[", 'graphroot = "a" "b"'):
            with open(conf, "w") as f:
                f.write("[storage]\n" + line + "\n")
            r = run("image", "podman:hard:1", env=env)
            equal(r.code, 2, line)
            check(f"{conf}:" in r.err, r.err)


# --- stores that nobody would make ----------------------------------------------------------------------------------

def data_name(key):
    return key if key == "manifest" else "=" + base64.b64encode(key.encode()).decode()


def hand_made(root, driver="overlay", layers=2, change=None):
    """A store by hand, from the format's facts: `layers` layers, of which the last brings the database. change edits a
    dict of its documents before they are written."""
    ids = [hashlib.sha256(b"layer %d" % i).hexdigest() for i in range(layers)]
    diffs = [sha(b"diff %d" % i) for i in range(layers)]
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": sha(config)},
                           "layers": [{"digest": x} for x in diffs]}).encode()
    image = sha(config)[7:]
    s = {"images": [{"id": image, "digest": sha(manifest), "names": ["localhost/made:1"], "layer": ids[-1] if ids else "",
                     "big-data-digests": {"manifest": sha(manifest)}}],
         "layers": [dict({"id": x, "diff-digest": diffs[i]}, **({"parent": ids[i - 1]} if i else {}))
                    for i, x in enumerate(ids)],
         "containers": [], "data": {"manifest": manifest, sha(config): config}, "ids": ids, "image": image}
    if change:
        change(s)
    for kind in ("images", "layers", "containers"):
        os.makedirs(f"{root}/{driver}-{kind}")
        text = s[kind] if isinstance(s[kind], bytes) else json.dumps(s[kind]).encode()
        with open(f"{root}/{driver}-{kind}/{kind}.json", "wb") as f:
            f.write(text)
        open(f"{root}/{driver}-{kind}/{kind}.lock", "w").close()
    os.makedirs(f"{root}/{driver}-images/{image}")
    for key, content in s["data"].items():
        with open(f"{root}/{driver}-images/{image}/{data_name(key)}", "wb") as f:
            f.write(content)
    for i, x in enumerate(ids[:20]):
        diff = f"{root}/overlay/{x}/diff" if driver == "overlay" else f"{root}/{driver}/dir/{x}"
        os.makedirs(diff + "/var/lib/dpkg")
        os.makedirs(diff + "/etc")
        with open(diff + "/etc/os-release", "wb") as f:
            f.write(OS_RELEASE)
        with open(f"{diff}/{STATUS}", "wb") as f:
            f.write(status(*[(f"p{k}", "1") for k in range(i + 1)]))
    return f"podman:[{root}]made:1", s


def expect_error(words, code=4, what="image", driver="overlay", name=None, **kw):
    with Folder() as d:
        target, s = hand_made(d + "/s", driver, **kw)
        r = run("image", name(d, s) if name else target, timeout=60)
        equal(r.code, code, f"{words}: {r.out} {r.err}")
        check(words in r.err, f"{words} is not in: {r.err}")


def test_a_store_by_hand():
    with Folder() as d:
        for driver in ("overlay", "vfs"):
            target, s = hand_made(f"{d}/{driver}", driver, layers=3)
            if driver == "overlay":
                with open(f"{d}/{driver}/overlay/.has-mount-program", "w") as f:
                    f.write("true")
            got = scan("image", target)
            equal([(p[1], p[6]) for p in packages(got)], [(f"p{i}", sha(b"diff %d" % i)) for i in range(3)], driver)


def test_attributes_of_fuse_overlayfs():
    with Folder() as d:
        need_xattr(d)
        target, s = hand_made(d + "/s", layers=3)
        top = f"{d}/s/overlay/{s['ids'][-1]}/diff/var/lib"
        with open(f"{d}/s/overlay/.has-mount-program", "w") as f:
            f.write("true")
        shutil.rmtree(top + "/dpkg")
        equal(len(packages(scan("image", target))), 2, "without the attribute")
        os.setxattr(top, "user.fuseoverlayfs.opaque", b"y")
        equal(packages(scan("image", target)), [])
        os.removexattr(top, "user.fuseoverlayfs.opaque")
        open(top + "/.wh.dpkg", "w").close()
        equal(packages(scan("image", target)), [])
        # Overlay in the kernel knows no such names.
        if os.geteuid() == 0:
            with open(f"{d}/s/overlay/.has-mount-program", "w") as f:
                f.write("false")
            equal(len(packages(scan("image", target))), 2, "native")


def test_broken_documents():
    def cut(s):
        s["images"] = json.dumps(s["images"]).encode()[:-9]
    expect_error("images.json", change=cut)

    def no_list(s):
        s["images"] = b'{"id": 1}'
    expect_error("it is no list", change=no_list)

    def rubbish(s):
        s["layers"] = b"\x00\xff" * 100
    expect_error("layers.json", change=rubbish)

    def empty(s):
        s["images"] = b""
    expect_error("no such image", change=empty)

    def odd(s):
        s["images"] = [1, None, [], {}, {"id": 3, "names": "x"}, {"id": "x", "names": [{}, 1]}]
    expect_error("no such image", change=odd)

    def other_config(s):
        key = [k for k in s["data"] if k != "manifest"][0]
        s["data"][key] = s["data"][key] + b" "
    expect_error("the config has another digest", change=other_config)

    def other_manifest(s):
        s["data"]["manifest"] += b" "
    expect_error("the manifest has another digest", change=other_manifest)

    def no_manifest(s):
        del s["data"]["manifest"]
    expect_error('document "manifest" is missing', change=no_manifest)

    def old_manifest(s):
        text = b'{"schemaVersion":1}'
        s["data"]["manifest"] = text
        s["images"][0]["big-data-digests"]["manifest"] = sha(text)
    expect_error("schema version 1", change=old_manifest)

    def image_id(s):
        s["images"][0]["id"] = "../../../etc/" + "0" * 51
    expect_error("is no image's id", change=image_id)


def test_broken_layers():
    def slashes(s):
        s["images"][0]["layer"] = "../" * 21 + "x"
    expect_error("is no layer's id", change=slashes)

    def loop(s):
        s["layers"][0]["parent"] = s["ids"][-1]
    expect_error("in a circle", change=loop)

    def missing(s):
        del s["layers"][0]
    expect_error("is not in layers.json", change=missing)

    def short(s):
        del s["layers"][1]["parent"]
    expect_error("the config names 2 layers, the store has 1", change=short)

    def other(s):
        s["layers"][1]["diff-digest"] = sha(b"other")
    expect_error("not from the config's diff ID", change=other)

    def incomplete(s):
        s["layers"][1]["flags"] = {"incomplete": True}
    expect_error("incomplete", change=incomplete)
    for driver in ("btrfs", "zfs"):
        expect_error(f"driver {driver}, which cannot be read in place", driver=driver)


def test_broken_folders():
    with Folder() as d:
        target, s = hand_made(d + "/s")
        diff = f"{d}/s/overlay/{s['ids'][1]}/diff"
        shutil.rmtree(diff)
        r = run("image", target)
        check(r.code == 4 and "its folder is missing" in r.err, r.err)
        # No link is followed, and nothing is read behind it.
        os.symlink("/", diff)
        r = run("image", target)
        equal(r.code, 4, r.out)
        os.unlink(diff)
        os.mkdir(diff)
        open(f"{d}/s/overlay/{s['ids'][1]}/composefs-data", "w").close()
        r = run("image", target)
        check(r.code == 4 and "composefs" in r.err, r.err)
        os.unlink(f"{d}/s/overlay-images/images.json")
        os.mkfifo(f"{d}/s/overlay-images/images.json")
        r = run("image", target, timeout=30)
        check(r.code == 4 and "no regular file" in r.err, r.err)
        os.unlink(f"{d}/s/overlay-images/images.json")
        os.symlink("/etc/passwd", f"{d}/s/overlay-images/images.json")
        r = run("image", target)
        check(r.code == 4 and "root:" not in r.err, r.err)
        os.rename(f"{d}/s/overlay-images", f"{d}/elsewhere")
        os.symlink(f"{d}/elsewhere", f"{d}/s/overlay-images")
        r = run("image", target)
        check(r.code == 4 and "no store in" in r.err, r.err)
        for bad in ("podman:[/nowhere]x", "podman:[relative]x", "podman:[/x", "podman:[]x", f"podman:[{d}/s]", "podman:[vfs@]x"):
            check(run("image", bad).code in (2, 4), bad)


def test_many_layers():
    """A hundred thousand layers: in the list they cost time in proportion, on each other they are too many."""
    with Folder() as d:
        def many(s):
            s["layers"] += [{"id": hashlib.sha256(b"more %d" % i).hexdigest(), "diff-digest": sha(b"d")} for i in range(100000)]
        target, _ = hand_made(d + "/wide", change=many)
        began = time.monotonic()
        equal(len(packages(scan("image", target))), 2)
        check(time.monotonic() - began < (60 if SANITIZED else 10), "100,000 layers are listed")

        def deep(s):
            ids = [hashlib.sha256(b"more %d" % i).hexdigest() for i in range(100000)]
            s["layers"][0]["parent"] = ids[0]
            s["layers"] += [{"id": x, "parent": y} for x, y in zip(ids, ids[1:])]
        target, _ = hand_made(d + "/deep", change=deep)
        r = run("image", target, timeout=60)
        check(r.code == 4 and ("LAYER_COUNT_MAX" in r.err), r.err)

        def huge(s):
            s["layers"] = b"[" + b'{"id":"x"},' * 4000000 + b"{}]"
        target, _ = hand_made(d + "/huge", change=huge)
        r = run("image", target, timeout=120)
        check(r.code == 4 and "CONTAINERS_JSON_SIZE_MAX" in r.err, r.err)


def test_containers_by_hand():
    def container(s, **more):
        s["layers"].append({"id": "c" * 64, "parent": s["ids"][-1]})
        s["containers"].append(dict({"id": "d" * 64, "names": ["web"], "image": s["image"], "layer": "c" * 64}, **more))

    def gone(s):
        container(s)
        s["containers"][0]["image"] = "e" * 64
    for change, note in ((container, None), (gone, "no longer in the store")):
        with Folder() as d:
            _, s = hand_made(d + "/s", change=change)
            diff = f"{d}/s/overlay/{'c' * 64}/diff/var/lib/dpkg"
            os.makedirs(diff)
            with open(diff + "/status", "wb") as f:
                f.write(status(("p0", "1"), ("p2", "1")))
            for name in ("web", "d" * 64, "dddd"):
                got = scan("image", f"container:[{d}/s]{name}")
                equal([(p[1], p[6]) for p in packages(got)], [("p0", sha(b"diff 0")), ("p2", "container")], name)
                check(not note or any(note in n for n in got["targets"][0]["notes"]), got["targets"][0]["notes"])

    def rootfs(s):
        container(s, layer="")
    by_name = lambda d, s: f"container:[{d}/s]web"  # noqa: E731
    expect_error("no layer in the store", change=rootfs, name=by_name)

    def bad_layer(s):
        container(s, layer="/" * 64)
    expect_error("is no layer's id", change=bad_layer, name=by_name)

    def no_layer(s):
        container(s, layer="f" * 64)
    expect_error("is not in layers.json", change=no_layer, name=by_name)

    def twins(s):
        container(s, names=[])
        s["containers"].append(dict(s["containers"][0], id="d" * 63 + "e"))
    expect_error("several", change=twins, code=2, name=lambda d, s: f"container:[{d}/s]dddd")


# --- locks ----------------------------------------------------------------------------------------------------------

def test_a_store_that_is_locked():
    with Folder() as d:
        target, _ = hand_made(d + "/s")
        with open(d + "/s/overlay-layers/layers.lock", "r+") as lock:
            fcntl.lockf(lock, fcntl.LOCK_SH)
            got = scan("image", target)
            check(not any("lock" in n for n in got["targets"][0]["notes"]), "others may read")
            fcntl.lockf(lock, fcntl.LOCK_EX)
            began = time.monotonic()
            got = scan("image", target)
            check(1.5 < time.monotonic() - began < 20, "waited, not for ever")
            equal(len(packages(got)), 2)
            check(any("without its lock" in n for n in got["targets"][0]["notes"]), got["targets"][0]["notes"])
        os.unlink(d + "/s/overlay-images/images.lock")
        got = scan("image", target)
        check(any("without its lock" in n for n in got["targets"][0]["notes"]), got["targets"][0]["notes"])
        check(not os.path.exists(d + "/s/overlay-images/images.lock"), "nothing is made in the store")


def test_a_store_on_a_read_only_disk():
    need("mount")
    with Folder() as d:
        target, _ = hand_made(d + "/s")
        if subprocess.run(["mount", "--bind", "-o", "ro", d + "/s", d + "/s"], stderr=subprocess.DEVNULL).returncode:
            raise Skip("nothing can be mounted")
        try:
            got = scan("image", target)
            equal(len(packages(got)), 2)
            check(not any("lock" in n for n in got["targets"][0]["notes"]), "a lock to read needs no writing")
        finally:
            sh("umount", d + "/s")


def test_nothing_is_written():
    with Folder() as d:
        target, _ = hand_made(d + "/s")

        def state():
            return sorted((p, os.lstat(os.path.join(p, n)).st_mtime_ns, n) for p, ds, fs in os.walk(d) for n in ds + fs)
        before = state()
        scan("image", target)
        run("image", f"podman:[{d}/s]nothing")
        run("image", f"container:[{d}/s]nothing")
        equal(state(), before)


if __name__ == "__main__":
    main(globals())
