#!/usr/bin/env python3
"""Docker's store and API with a real engine: a private dockerd with folders of its own, images built and containers run in
it without a network, read in place, through the API, and out of a docker save archive. Wants root, dockerd, the docker
client and busybox; skips without."""
import atexit
import glob
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import *  # noqa: E402,F403

STATUS = "/var/lib/dpkg/status"
PACKAGES = [("openssl", "3.0.11-1~deb12u1"), ("bash", "5.2.15-2+b2"), ("curl", "7.88.1-10+deb12u1"), ("tar", "1.34+dfsg-1.2")]
SHELL = ["sh", "rm", "mkdir", "cp", "mv", "ln", "sed", "cat", "sleep", "touch"]
IN_PLACE = "read in place"


def needs():
    if os.geteuid() != 0:
        raise Skip("a private dockerd wants root")
    for program in ("dockerd", "docker", "unshare", "busybox", "setpriv"):
        if not shutil.which(program):
            raise Skip(f"no {program}")
    if b"static" not in subprocess.run(["file", "-L", shutil.which("busybox")], capture_output=True).stdout and shutil.which("file"):
        raise Skip("busybox is not static")


class Dockerd:
    """A private engine. Its folder lies on a disk: overlay2 wants one that is no overlay itself."""
    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="plimsoll-dockerd-", dir=os.environ.get("TMPDIR") or "/var/tmp")
        os.chmod(self.folder, 0o711)  # for an engine whose root is another user
        self.options, self.process = list(options), None
        self.host = f"unix://{self.folder}/docker.sock"
        self.root = f"{self.folder}/root"
        self.env = dict({k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}, DOCKER_HOST=self.host,
                        DOCKER_BUILDKIT="0", HOME=self.folder)

    def start(self):
        with open(self.folder + "/log", "a") as log:
            self.process = subprocess.Popen(
                ["unshare", "-n", "-m", "dockerd", "--data-root", self.root, "--exec-root", self.folder + "/exec", "-H", self.host,
                 "--pidfile", self.folder + "/pid", "--bridge=none", "--iptables=false", "--storage-driver=overlay2", *self.options],
                stdout=log, stderr=log, start_new_session=True)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            if subprocess.run(["docker", "version"], env=self.env, capture_output=True).returncode == 0:
                return self
            time.sleep(0.1)
        with open(self.folder + "/log") as log:
            raise Skip("dockerd does not start here: " + log.read()[-300:])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def remove(self):
        if self.process:
            subprocess.run("docker rm -f $(docker ps -aq)", shell=True, env=self.env, capture_output=True)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *args, stdin=None):
        p = subprocess.run(["docker", *args], env=self.env, capture_output=True, input=stdin, timeout=300)
        if p.returncode:
            raise AssertionError(f"docker {args}: {p.stderr.decode()}")
        return p.stdout.decode().strip()

    def build(self, name, dockerfile, files=(), links=()):
        with Folder() as d:
            for path, target in links:
                os.makedirs(os.path.dirname(os.path.join(d, path)), exist_ok=True)
                os.symlink(target, os.path.join(d, path))
            for path, content in files:
                os.makedirs(os.path.dirname(os.path.join(d, path)), exist_ok=True)
                with open(os.path.join(d, path), "wb") as f:
                    f.write(content)
            os.makedirs(d + "/base/bin", exist_ok=True)
            shutil.copy(shutil.which("busybox"), d + "/base/bin/busybox")
            for command in SHELL:
                os.symlink("busybox", f"{d}/base/bin/{command}")
            with open(d + "/Dockerfile", "w") as f:
                f.write("FROM scratch\nADD base /\n" + dockerfile)
            self.docker("build", "-q", "--network", "none", "--no-cache", "-t", name, d)
        return name


BASE = [("base/etc/os-release", OS_RELEASE), ("base" + STATUS, status(*PACKAGES)),
        ("base/srv/app/a", b"a"), ("base/srv/deep/er/b", b"b")]
WITHOUT_CURL = "sed '/^Package: curl/,/^$/d' " + STATUS + " > /n && mv /n " + STATUS
DOCKERFILES = {
    "plain": "",
    "whiteout": f"RUN {WITHOUT_CURL}\nRUN rm /srv/app/a\n",
    "gone": "RUN rm " + STATUS + "\n",
    "opaque": "RUN rm -rf /var/lib/dpkg && mkdir /var/lib/dpkg && touch /var/lib/dpkg/lock\n",
    "opaque-above": "RUN cp -r /var/lib/dpkg /d && rm -rf /var/lib && mkdir -p /var/lib/dpkg && cp /d/status /var/lib/dpkg && "
                    "sed -i '/^Package: bash/,/^$/d' " + STATUS + "\nRUN touch /var/lib/x\n",
    "moved": "RUN mv /var/lib/dpkg /usr-dpkg && ln -s /usr-dpkg /var/lib/dpkg\nRUN touch /usr-dpkg/x\n",
    "moved-twice": "RUN mkdir -p /opt && mv /var/lib/dpkg /opt/dpkg && ln -s ../../opt/dpkg /var/lib/dpkg\n"
                   f"RUN {WITHOUT_CURL}\nRUN mv /opt /elsewhere && ln -s elsewhere /opt\n",
    "replaced": "RUN rm -rf /var && touch /var\nRUN rm /var && mkdir -p /var/lib/dpkg && touch " + STATUS + "\n",
    "back": "RUN cp -r /var/lib/dpkg /d && rm -rf /var/lib/dpkg\nRUN cp -r /d /var/lib/dpkg\n",
    "empty-steps": "ENV A=B\nLABEL x=y\nRUN touch /x\nCMD [\"sleep\", \"1000\"]\n",
}
engine = None


def the_engine():
    global engine
    needs()
    if engine is None:
        engine = Dockerd()
        atexit.register(lambda: engine.remove())
        engine.start()
        for name, steps in DOCKERFILES.items():
            engine.build(f"test/{name}:1", steps, BASE)
        # Docker takes the link away before a container starts, and makes a folder of its own.
        engine.build("test/etc-link:1", 'CMD ["sleep", "1000"]\n', [("base/usr-etc/os-release", OS_RELEASE), BASE[1]],
                     [("base/etc", "usr-etc")])
        engine.docker("tag", "test/plain:1", "plain")
    if engine.process is None:
        engine.start()
    return engine


def quiet(**more):
    env = {k: "" for k in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR")}
    env.update({"HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"})
    env.update(more)
    return env


def in_place(e, target, *args, **kw):
    report = scan("image", target, "-H", e.host, *args, env=quiet(), **kw)
    notes = report["targets"][0]["notes"]
    check(any(IN_PLACE in n for n in notes), str(notes))
    return report


def without_rights(e, target, *args, check_code=True):
    """Root without CAP_SYS_ADMIN: opaque folders cannot be seen, so nothing may be read in place."""
    p = subprocess.run(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", PROGRAM, "image", target, "-H", e.host, "-f",
                        "json", "--list-all-pkgs", "--no-cache", *args], env=clean_env(quiet()), capture_output=True, text=True)
    if check_code and p.returncode:
        raise AssertionError(p.stderr)
    return p


def streamed(e, target, *args):
    report = json.loads(without_rights(e, target, *args).stdout)
    notes = report["targets"][0]["notes"]
    check(any("streamed" in n for n in notes), str(notes))
    return report


def same(one, other, what):
    equal(packages(one), packages(other), what + ": packages")
    equal(findings(one), findings(other), what + ": findings")
    for key in ("digest", "platform", "os"):
        equal(one["targets"][0].get(key), other["targets"][0].get(key), f"{what}: {key}")
    equal([(l["diff_id"], l.get("created_by")) for l in one["targets"][0]["layers"]],
          [(l["diff_id"], l.get("created_by")) for l in other["targets"][0]["layers"]], f"{what}: layers")
    equal(not_assessed(one), not_assessed(other), f"{what}: not assessed")


def test_archive_store_and_stream_say_the_same():
    e = the_engine()
    counts = {}
    with Folder() as d:
        for name in [*DOCKERFILES, "etc-link"]:
            ref = f"test/{name}:1"
            e.docker("save", "-o", d + "/a.tar", ref)
            archive = scan("image", d + "/a.tar")
            same(in_place(e, "docker:" + ref), archive, name + " in place")
            same(streamed(e, "docker:" + ref), archive, name + " streamed")
            counts[name] = sorted(p[1] for p in packages(archive))
    every = sorted(n for n, _ in PACKAGES)
    few = [n for n in every if n != "curl"]
    equal(counts, {"plain": every, "whiteout": few, "gone": [], "opaque": [], "opaque-above": [n for n in every if n != "bash"],
                   "moved": every, "moved-twice": few, "replaced": [], "back": every, "empty-steps": every, "etc-link": every})


def test_an_image_is_found_by_all_its_names():
    e = the_engine()
    full = e.docker("inspect", "-f", "{{.Id}}", "test/whiteout:1")
    hex_id = full.split(":")[1]
    expected = packages(in_place(e, "docker:test/whiteout:1"))
    for name in (full, hex_id, hex_id[:12], hex_id[:7], "docker.io/test/whiteout:1"):
        equal(packages(in_place(e, "docker:" + name)), expected, name)
        equal(packages(streamed(e, "docker:" + name)), expected, name)
    for name in ("plain", "plain:latest", "library/plain", "docker.io/library/plain:latest", "index.docker.io/library/plain"):
        equal(len(packages(in_place(e, "docker:" + name))), len(PACKAGES), name)
    r = run("image", "docker:test/whiteout:2", "-H", e.host, env=quiet())
    check(r.code == 4 and "no image test/whiteout:2" in r.err, r.err)
    r = run("image", "docker:" + "0" * 12, "-H", e.host, env=quiet())
    equal(r.code, 4, r.err)


def test_a_container_is_its_image_and_what_it_wrote():
    e = the_engine()
    e.docker("run", "-d", "--name", "same", "--network=none", "test/empty-steps:1")
    e.docker("run", "-d", "--name", "less", "--network=none", "test/empty-steps:1", "sh", "-c",
             "sed -i '/^Package: bash/,/^$/d' " + STATUS + "; touch /done; sleep 1000")
    e.docker("run", "--name", "more", "--network=none", "test/empty-steps:1", "sh", "-c",
             "printf 'Package: wget\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1.21.3-1\\n\\n' >> " + STATUS)
    e.docker("run", "-d", "--name", "opaque", "--network=none", "test/empty-steps:1", "sh", "-c",
             "rm -rf /var/lib/dpkg; mkdir /var/lib/dpkg; touch /done; sleep 1000")
    e.docker("run", "-d", "--name", "linked", "--network=none", "test/etc-link:1")
    e.docker("create", "--name", "created", "--network=none", "test/empty-steps:1", "sh")
    for _ in range(100):
        if all(e.docker("exec", c, "sh", "-c", "cat /done; true") == "" for c in ("less", "opaque")):
            break
    time.sleep(1)
    image = in_place(e, "docker:test/empty-steps:1")
    for name in ("same", "created"):
        got = in_place(e, "container:" + name)
        equal(packages(got), packages(image), name)
        equal(findings(got), findings(image), name)
    less = [p for p in packages(image, layer=False) if p[1] != "bash"]
    equal(packages(in_place(e, "container:less"), layer=False), less)
    got = in_place(e, "container:more")
    more = [p for p in packages(got) if p[1] == "wget"]
    equal([(p[2], p[6]) for p in more], [("1.21.3-1", "container")])
    equal([p for p in packages(got) if p[1] != "wget"], packages(image))
    equal(packages(in_place(e, "container:opaque")), [])
    linked = e.docker("exec", "linked", "sh", "-c", "cat /etc/os-release; true")
    equal("bookworm" in linked, False, "what Docker makes of a link at /etc")
    equal(in_place(e, "container:linked")["targets"][0].get("os", {}).get("id", ""), "")
    equal(in_place(e, "docker:test/etc-link:1")["targets"][0]["os"]["id"], "debian")
    full = e.docker("inspect", "-f", "{{.Id}}", "less")
    for name in (full, full[:12], full[:6], "/less"):
        equal(packages(in_place(e, "container:" + name), layer=False), less, name)
    r = run("image", "container:nobody", "-H", e.host, env=quiet())
    check(r.code == 4 and "no container nobody" in r.err, r.err)
    p = without_rights(e, "container:less", check_code=False)
    check(p.returncode == 4 and "only be read in place" in p.stderr, p.stderr)


def bound(e, *args):
    """With the engine's folder where a stopped engine's is looked for."""
    script = 'mkdir -p /var/lib/docker && mount --bind "$1" /var/lib/docker && shift && exec "$@"'
    return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", e.root, PROGRAM, "image", *args, "--no-cache", "-f", "json",
                           "--list-all-pkgs"], env=clean_env(quiet()), capture_output=True, text=True)


def test_a_stopped_engine_is_read_all_the_same():
    e = the_engine()
    if os.path.exists("/var/run/docker.sock") or os.path.exists("/etc/docker/daemon.json"):
        raise Skip("this machine has an engine of its own")
    expected = {name: in_place(e, f"docker:test/{name}:1") for name in ("whiteout", "opaque-above", "moved-twice")}
    e.docker("run", "--name", "stopped", "--network=none", "test/empty-steps:1", "sh", "-c",
             "sed -i '/^Package: tar/,/^$/d' " + STATUS)
    full = e.docker("inspect", "-f", "{{.Id}}", "test/whiteout:1")
    container = e.docker("inspect", "-f", "{{.Id}}", "stopped")
    listed = sorted(n for n in e.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split() if "<none>" not in n)
    e.stop()
    for name, report in expected.items():
        p = bound(e, f"docker:test/{name}:1")
        check(p.returncode == 0, p.stderr)
        same(json.loads(p.stdout), report, name)
    for name in (full, full[7:], full[7:19], "docker.io/test/whiteout:1"):
        p = bound(e, "docker:" + name)
        check(p.returncode == 0, p.stderr)
        equal(packages(json.loads(p.stdout)), packages(expected["whiteout"]), name)
    for name in ("stopped", container, container[:12]):
        p = bound(e, "container:" + name)
        check(p.returncode == 0, p.stderr)
        equal(sorted(x[1] for x in packages(json.loads(p.stdout))), ["bash", "curl", "openssl"], name)
    for target, words in (("docker:test/none:1", "no image"), ("container:none", "no container"), ("docker:" + "0" * 64, "no image")):
        p = bound(e, target)
        check(p.returncode == 4 and words in p.stderr, p.stderr)
    p = bound(e, "--all")
    check(p.returncode == 0, p.stderr)
    equal([t["name"] for t in json.loads(p.stdout)["targets"] if not t["name"].startswith("docker:sha256")],
          ["docker:" + n for n in listed])
    # Two images whose ids begin alike are not one.
    ids = sorted(os.listdir(e.root + "/image/overlay2/imagedb/content/sha256"))
    pairs = [a[:1] for a, b in zip(ids, ids[1:]) if a[:1] == b[:1]]
    if pairs:
        p = bound(e, "docker:" + pairs[0])
        check(p.returncode == 2 and "begin with" in p.stderr, p.stderr)


def test_all_images_of_the_engine():
    e = the_engine()
    r = run("image", "--all", "-H", e.host, "-f", "json", env=quiet())
    equal(r.code, 0, r.err)
    listed = sorted(n for n in e.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split() if "<none>" not in n)
    equal([t["name"] for t in r.json()["targets"] if t["name"].startswith("docker:") and "sha256:" not in t["name"]],
          ["docker:" + n for n in listed])


def damaged(e, change, target="docker:test/whiteout:1"):
    """The program's words on a copy of the store that `change` has damaged, the engine stopped."""
    copy = e.folder + "/copy"
    subprocess.run(["cp", "-a", e.root, copy], check=True)
    try:
        change(copy)
        real, e.root = e.root, copy
        p = bound(e, target)
        e.root = real
    finally:
        subprocess.run(["rm", "-rf", copy], check=True)
    check(p.returncode in (1, 4) and p.stderr.count("\n") == 1, f"{p.returncode}: {p.stderr}")
    return p.stderr


def test_a_damaged_store_is_said_and_not_believed():
    e = the_engine()
    if os.path.exists("/var/run/docker.sock") or os.path.exists("/etc/docker/daemon.json"):
        raise Skip("this machine has an engine of its own")
    hex_id = e.docker("inspect", "-f", "{{.Id}}", "test/whiteout:1").split(":")[1]
    e.stop()
    store = "/image/overlay2/"
    config = store + "imagedb/content/sha256/" + hex_id

    def write(path, text):
        def change(root):
            for p in glob.glob(root + path):
                if os.path.islink(p):
                    os.unlink(p)
                with open(p, "w") as f:
                    f.write(text)
        return change

    def link(path, target):
        def change(root):
            for p in glob.glob(root + path):
                shutil.rmtree(p) if os.path.isdir(p) and not os.path.islink(p) else os.unlink(p)
                os.symlink(target, p)
        return change
    for change, word in (
            (write(store + "repositories.json", "{"), "repositories.json"),
            (write(store + "repositories.json", '{"Repositories": []}'), "no map"),
            (write(store + "repositories.json", '{"Repositories":{"x":{"test/whiteout:1":"sha256:../../../etc/passwd"}}}'), "the id of"),
            (write(store + "repositories.json", "{}"), "no image"),
            (write(config, '{"rootfs":{"diff_ids":[]}}'), "another digest"),
            (write(store + "layerdb/sha256/*/diff", "sha256:" + "0" * 64), "diff ID"),
            (write(store + "layerdb/sha256/*/cache-id", "../../../../etc"), "holds no id"),
            (write(store + "layerdb/sha256/*/cache-id", "0" * 64), "No such file"),
            (write(store + "layerdb/sha256/*/cache-id", "0" * 100000), "larger than"),
            (link(store + "layerdb/sha256/*/cache-id", "/etc/hostname"), "symbolic"),
            (link("/overlay2/*/diff", "/"), "directory"),
            (link(config, "/etc/passwd"), "")):
        words = damaged(e, change)
        check(word in words, f"{word!r} is not in: {words}")


def test_many_at_once():
    e = the_engine()
    e.docker("version")
    env = clean_env(quiet())
    runs = [subprocess.Popen([PROGRAM, "image", "docker:test/moved-twice:1", "-H", e.host, "-f", "json", "--list-all-pkgs", "--no-cache"],
                             env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(20)]
    for i, p in enumerate(runs):
        if i % 2:
            time.sleep(0.005)
            p.kill()
    expected = packages(in_place(e, "docker:test/moved-twice:1"))
    for i, p in enumerate(runs):
        out, err = p.communicate(timeout=120)
        if not i % 2:
            equal(p.returncode, 0, err.decode())
            equal(packages(json.loads(out)), expected)


def test_an_image_that_comes_and_goes():
    """Beside an engine that removes and loads it again: a right answer, or none."""
    e = the_engine()
    files = [(f"pad{i}/file{k}", b"x") for i in range(30) for k in range(30)]
    e.build("test/comes:1", "", files + BASE)
    expected = packages(in_place(e, "docker:test/comes:1"))
    with Folder() as d:
        e.docker("save", "-o", d + "/a.tar", "test/comes:1")
        going = subprocess.Popen(["sh", "-c", f"while :; do docker -H {e.host} rmi -f test/comes:1; docker -H {e.host} load -i {d}/a.tar; done"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        counts = {0: 0, 4: 0}
        try:
            for _ in range(120):
                r = run("image", "docker:test/comes:1", "-H", e.host, "-f", "json", "--list-all-pkgs", env=quiet())
                check(r.code in counts, f"exit {r.code}: {r.err}")
                counts[r.code] += 1
                if r.code == 0:
                    equal(packages(r.json()), expected)
        finally:
            os.killpg(going.pid, 9)
            going.wait()
        check(counts[0] > 0, counts)
        print("    ", counts)


def test_userns_remap():
    needs()
    e = Dockerd("--userns-remap=default")
    try:
        e.start()
        e.build("test/opaque:1", DOCKERFILES["opaque"], BASE)
        e.build("test/whiteout:1", DOCKERFILES["whiteout"], BASE)
        equal(packages(in_place(e, "docker:test/opaque:1")), [])
        expected = in_place(e, "docker:test/whiteout:1")
        same(expected, streamed(e, "docker:test/whiteout:1"), "streamed")
        e.stop()
        if os.path.exists("/var/run/docker.sock") or os.path.exists("/etc/docker/daemon.json"):
            return
        p = bound(e, "docker:test/whiteout:1")
        check(p.returncode == 0, p.stderr)
        same(json.loads(p.stdout), expected, "stopped")
    finally:
        e.remove()


if __name__ == "__main__":
    main(globals())
