#!/usr/bin/env python3
"""Docker's API against an engine of the tests' own, which is old, new, slow, broken or something else altogether: what
is asked of it, what comes of it, and the words for it. Endpoints as users name them: --host, variables, contexts, ssh."""
import hashlib
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from harness import *  # noqa: E402,F403
from engine_stub import DeafSocket, Engine  # noqa: E402

STATUS = "var/lib/dpkg/status"
CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]
SECONDS_MAX = 60  # by which even an engine that says nothing has been given up


def make_archive(d):
    """A docker-archive of some megabytes; its path, and the image's id."""
    layers = [layer_tar([entry("etc/os-release", OS_RELEASE), entry(STATUS, status(("openssl", "3.0.11-1~deb12u1"), ("b", "1")))]),
              layer_tar([entry("srv/data%d" % i, os.urandom(1 << 20)) for i in range(3)])]
    path = docker_archive(os.path.join(d, "app.tar"), layers, name="app:1")
    import tarfile
    with tarfile.open(path) as t:
        config = json.load(t.extractfile("manifest.json"))[0]["Config"]
    return path, config[:64]


def alone(d, **more):
    """An environment in which no engine of this machine is found by itself."""
    env = {"DOCKER_CONFIG": os.path.join(d, "no-config"), "HOME": d, "XDG_RUNTIME_DIR": d}
    env.update({k: "" for k in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")})
    env.update(more)
    return env


def scan_through(d, e, *args, env=None, target="docker:app:1"):
    return scan("image", target, "-H", e.host, *args, env=env or alone(d))


def refused(d, e, *args, target="docker:app:1", env=None, code=4):
    r = run("image", target, "-H", e.host, *args, env=env or alone(d), timeout=SECONDS_MAX * 2)
    equal(r.code, code, r.err)
    check("Traceback" not in r.err and r.err.count("\n") == 1, r.err)
    check("\x1b" not in r.err, "control characters reach the terminal")
    return r.err


def test_an_image_streams_from_engines_of_all_ages():
    with Folder() as d:
        path, config_id = make_archive(d)
        expected = scan("image", path)
        for api, api_min, says in (("1.24", 12, True), ("1.24", 12, False), ("1.41", 12, True), ("1.44", 44, True),
                                   ("1.47", 44, True), ("1.60", 44, False), ("1.99", 90, True)):
            with Engine(d, path, config_id, api=api, api_min=api_min, ping_says_version=says) as e:
                got = scan_through(d, e)
                equal(packages(got), packages(expected), api)
                equal(findings(got), findings(expected), api)
                equal(got["targets"][0]["digest"], "sha256:" + config_id)
                check(all(p.startswith(f"/v{api}/") for p in e.asked if p not in ("/_ping", "/version")), str(e.asked))
                check(any("Docker/stub" in n for n in got["targets"][0]["notes"]), "which engine it was is not said")


def test_what_is_no_engine_or_too_old_is_said():
    with Folder() as d:
        path, config_id = make_archive(d)
        for api, says, word in (("1.23", True, "1.23"), ("1.23", False, "1.23"), ("2.0", True, "which is none"),
                                ("x" * 500, True, "which is none"), ("1.", True, "which is none")):
            with Engine(d, path, config_id, api=api, ping_says_version=says) as e:
                check(word in refused(d, e), api)
        for mode, word in (("web", "no engine"), ("garbage", "engine at"), ("broken", "answer to"), ("huge", "engine at"),
                           ("deep", "answer to"), ("liar", "is no id"), ("errors", "500"), ("denied", "403")):
            with Engine(d, path, config_id, mode=mode) as e:
                check(word in refused(d, e), mode)


def test_an_image_or_container_that_is_not_there():
    with Folder() as d:
        path, config_id = make_archive(d)
        with Engine(d, path, config_id) as e:
            check("no image app:2" in refused(d, e, target="docker:app:2"), "")
            check("no container app" in refused(d, e, target="container:app"), "")
            for name in ("docker:../containers/x", "docker:a b", "docker:a?b=c", "docker:a%2e", "docker:-a", "docker:" + "a" * 2000):
                before = list(e.asked)
                refused(d, e, target=name)
                equal(e.asked, before, "the engine was asked for " + name)


def test_a_stream_that_breaks_off_is_no_image():
    with Folder() as d:
        path, config_id = make_archive(d)
        with Engine(d, path, config_id, mode="chunked") as e:
            equal(packages(scan_through(d, e)), packages(scan("image", path)))
        for mode in ("dying", "short"):
            with Engine(d, path, config_id, mode=mode) as e:
                words = refused(d, e)
                check("stream" in words or "archive" in words or "tar" in words or "ends" in words or "layer" in words, words)


def test_engines_that_hang_are_given_up():
    outcomes = {}

    def one(mode):
        with Folder() as d, Engine(d, mode=mode) as e:
            outcomes[mode] = refused(d, e)

    def deaf():
        with Folder() as d, DeafSocket(os.path.join(d, "s")):
            r = run("image", "docker:app:1", "-H", f"unix://{d}/s", env=alone(d), timeout=SECONDS_MAX * 2)
            outcomes["deaf"] = r.err
            equal(r.code, 4, r.err)
    threads = [threading.Thread(target=one, args=(m,)) for m in ("silent", "slow")] + [threading.Thread(target=deaf)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(SECONDS_MAX * 2)
    equal(sorted(outcomes), ["deaf", "silent", "slow"])
    for mode, words in outcomes.items():
        check("engine at" in words, mode + ": " + words)


def test_containerds_image_store_is_streamed_and_said():
    with Folder() as d:
        path, config_id = make_archive(d)
        for graph_driver in (None, {"Name": "overlayfs", "Data": None}):
            with Engine(d, path, config_id, graph_driver=graph_driver, driver="overlayfs", driver_status=CONTAINERD,
                        root="/var/lib/docker") as e:
                got = scan_through(d, e)
                equal(packages(got), packages(scan("image", path)))
                check(any("containerd" in n for n in got["targets"][0]["notes"]), str(got["targets"][0]["notes"]))


def test_a_store_that_only_lies_where_the_engines_should_is_not_taken():
    """The engine names a folder that is none, or one without the image: the stream is taken."""
    with Folder() as d:
        path, config_id = make_archive(d)
        os.makedirs(os.path.join(d, "data/image/overlay2/layerdb"))
        for upper in (d + "/data/overlay2/x/diff", "/nowhere/overlay2/x/diff", "relative/overlay2/x/diff", "\0/overlay2/x/diff",
                      "", "/overlay2"):
            with Engine(d, path, config_id, graph_driver={"Name": "overlay2", "Data": {"UpperDir": upper}}) as e:
                equal(packages(scan_through(d, e)), packages(scan("image", path)), upper)


def test_platform_is_passed_on_where_the_engine_knows_it():
    with Folder() as d:
        path, config_id = make_archive(d)
        for api, asked in (("1.47", False), ("1.48", True)):
            with Engine(d, path, config_id, api=api) as e:
                scan_through(d, e, "--platform", "linux/amd64")
                got = [p for p in e.asked if "/get" in p]
                equal(["platform=" in p for p in got], [asked], str(got))
                check(not asked or "%7B%22os%22:%22linux%22%2C%22architecture%22:%22amd64%22%7D" in got[0], str(got))
                refused(d, e, "--platform", "linux/arm64")


def test_all_lists_what_the_engine_has():
    with Folder() as d:
        path, config_id = make_archive(d)
        with Engine(d, path, config_id, tags=["app:1"]) as e:
            r = run("image", "--all", "-H", e.host, "-f", "json", env=alone(d))
            check("sha256:" + "1" * 64 in r.err or "no image" in r.err, r.err)
            equal([t["name"] for t in r.json()["targets"]], ["docker:app:1"])


def test_hosts_from_variables_and_contexts():
    with Folder() as d:
        path, config_id = make_archive(d)
        with Engine(d, path, config_id) as e:
            def found(**env):
                r = run("image", "docker:app:1", "-f", "json", env=alone(d, **env))
                return r.code == 0
            check(found(DOCKER_HOST=e.host), "DOCKER_HOST")
            config = os.path.join(d, "cfg")
            meta = os.path.join(config, "contexts", "meta", hashlib.sha256(b"work").hexdigest())
            os.makedirs(meta)
            with open(os.path.join(meta, "meta.json"), "w") as f:
                json.dump({"Name": "work", "Metadata": {}, "Endpoints": {"docker": {"Host": e.host, "SkipTLSVerify": False}}}, f)
            check(found(DOCKER_CONFIG=config, DOCKER_CONTEXT="work"), "DOCKER_CONTEXT")
            check(not found(DOCKER_CONFIG=config, DOCKER_CONTEXT="home"), "a context that is not there")
            check(not found(DOCKER_CONFIG=config, DOCKER_HOST="unix://" + d + "/nothing"), "DOCKER_HOST wins")
            with open(os.path.join(config, "config.json"), "w") as f:
                json.dump({"currentContext": "work"}, f)
            check(found(DOCKER_CONFIG=config), "currentContext")
            check(not found(DOCKER_CONFIG=config, DOCKER_HOST="unix://" + d + "/nothing"), "DOCKER_HOST wins")
            os.rename(e.path, os.path.join(d, "docker.sock"))
            with open(os.path.join(config, "config.json"), "w") as f:
                f.write('{"currentContext": "default"}')
            if not os.path.exists("/var/run/docker.sock"):
                check(found(DOCKER_CONFIG=config), "the socket of a rootless engine")
            os.makedirs(os.path.join(d, ".docker/run"))
            os.rename(os.path.join(d, "docker.sock"), os.path.join(d, ".docker/run/docker.sock"))
            if not os.path.exists("/var/run/docker.sock"):
                check(found(DOCKER_CONFIG=config), "the socket of Docker Desktop")


def test_wrong_addresses_are_usage():
    with Folder() as d:
        for host, word in (("npipe:////./pipe/docker_engine", "npipe"), ("unix://relative", "path"), ("tcp://h:99999", "port"),
                           ("tcp://h:x", "port"), ("tcp://-h", "host"), ("ssh://-oProxyCommand=x", "host"),
                           ("ssh://u:p@h", "password"), ("ssh://-u@h", "user"), ("ssh://h/$(id)", "path"), ("tcp://h/../x", "path"),
                           ("unix:///" + "a" * 200, "path")):
            r = run("image", "docker:app:1", "-H", host, env=alone(d))
            check(r.code in (2, 4) and word in r.err, f"{host}: {r.code} {r.err}")


def test_no_engine_and_no_right_are_said():
    with Folder() as d:
        r = run("image", "docker:app:1", "-H", f"unix://{d}/none.sock", env=alone(d))
        check(r.code == 4 and "no such socket" in r.err, r.err)
        import socket
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(f"{d}/stale.sock")
        r = run("image", "docker:app:1", "-H", f"unix://{d}/stale.sock", env=alone(d))
        check(r.code == 4 and "not running" in r.err, r.err)
        with open(f"{d}/file", "w") as f:
            f.write("x")
        r = run("image", "docker:app:1", "-H", f"unix://{d}/file", env=alone(d))
        check(r.code == 4, r.err)


def test_a_user_without_the_right_to_the_socket():
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can become a user without rights")
    with Folder() as d:
        os.chmod(d, 0o755)
        with Engine(d) as e:
            os.chmod(e.path, 0o600)
            p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "image", "docker:app:1",
                                "--no-cache", "-H", e.host], env=clean_env(alone(d)), capture_output=True, text=True, timeout=60)
            check(p.returncode == 4 and "not for this user" in p.stderr and "group" in p.stderr, p.stderr)


def test_offline_allows_unix_sockets_alone():
    with Folder() as d:
        path, config_id = make_archive(d)
        with Engine(d, path, config_id) as e:
            scan_through(d, e, "--offline")
        with Engine(d, path, config_id, tcp=True) as e:
            check("--offline" in refused(d, e, "--offline"), "")
            equal(e.asked, [])
        r = run("image", "docker:app:1", "--offline", "-H", "ssh://h", env=alone(d))
        check(r.code == 4 and "--offline" in r.err, r.err)


def test_tcp_without_tls():
    with Folder() as d:
        path, config_id = make_archive(d)
        for mode in ("ok", "closing", "chunked"):
            with Engine(d, path, config_id, tcp=True, mode=mode) as e:
                equal(packages(scan_through(d, e)), packages(scan("image", path)), mode)
        with Engine(d, path, config_id, mode="closing") as e:
            equal(packages(scan_through(d, e)), packages(scan("image", path)), "closing, by a Unix socket")


def certificates(d, name="127.0.0.1"):
    """An authority, a server's and a client's certificate, as Docker's documentation has them made."""
    if not shutil.which("openssl"):
        raise Skip("no openssl to make certificates")

    def ssl_(*args):
        subprocess.run(["openssl", *args], cwd=d, check=True, capture_output=True)
    ssl_("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=test ca", "-days", "2",
         "-addext", "basicConstraints=critical,CA:TRUE")
    for who, ext in (("server", f"subjectAltName=IP:{name}"), ("client", "extendedKeyUsage=clientAuth")):
        ssl_("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{who}-key.pem", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        with open(os.path.join(d, "ext"), "w") as f:
            f.write(ext)
        ssl_("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-out", f"{who}.pem",
             "-days", "2", "-extfile", "ext")
    certs = os.path.join(d, "certs")
    os.makedirs(certs)
    for source, target in (("ca.pem", "ca.pem"), ("client.pem", "cert.pem"), ("client-key.pem", "key.pem")):
        shutil.copy(os.path.join(d, source), os.path.join(certs, target))
    return certs, {"cert": os.path.join(d, "server.pem"), "key": os.path.join(d, "server-key.pem"), "ca": os.path.join(d, "ca.pem")}


def test_tcp_with_tls_and_a_clients_certificate():
    with Folder() as d:
        path, config_id = make_archive(d)
        certs, server = certificates(d)
        with Engine(d, path, config_id, tcp=True, tls=server) as e:
            env = alone(d, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=certs)
            equal(packages(scan_through(d, e, env=env)), packages(scan("image", path)))
            # Without the authority, without the client's certificate, without TLS.
            other = os.path.join(d, "other")
            os.makedirs(other)
            refused(d, e, env=alone(d, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=other))
            shutil.copy(os.path.join(certs, "ca.pem"), other)
            refused(d, e, env=alone(d, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=other))
            refused(d, e)
            # The same from a context.
            config, name = os.path.join(d, "cfg"), hashlib.sha256(b"tls").hexdigest()
            os.makedirs(os.path.join(config, "contexts/meta", name))
            shutil.copytree(certs, os.path.join(config, "contexts/tls", name, "docker"))
            with open(os.path.join(config, "contexts/meta", name, "meta.json"), "w") as f:
                json.dump({"Name": "tls", "Endpoints": {"docker": {"Host": e.host}}}, f)
            r = run("image", "docker:app:1", "-f", "json", env=alone(d, DOCKER_CONFIG=config, DOCKER_CONTEXT="tls"))
            equal(r.code, 0, r.err)
    with Folder() as d:
        path, config_id = make_archive(d)
        certs, server = certificates(d, name="127.0.0.2")
        with Engine(d, path, config_id, tcp=True, tls=server) as e:
            refused(d, e, env=alone(d, DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=certs))


FAKE_SSH = """#!/usr/bin/env python3
import os, socket, sys, threading
with open(os.environ["SSH_LOG"], "a") as f:
    f.write(repr(sys.argv[1:]) + "\\n")
if os.environ.get("SSH_FAILS"):
    print("Host key verification failed.", file=sys.stderr)
    sys.exit(255)
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["SSH_TO"])
def up():
    while True:
        b = os.read(0, 65536)
        if not b:
            break
        s.sendall(b)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    b = s.recv(65536)
    if not b:
        break
    os.write(1, b)
"""


def test_ssh_is_spoken_through_the_users_ssh():
    with Folder() as d:
        path, config_id = make_archive(d)
        os.makedirs(os.path.join(d, "bin"))
        with open(os.path.join(d, "bin/ssh"), "w") as f:
            f.write(FAKE_SSH)
        os.chmod(os.path.join(d, "bin/ssh"), 0o755)
        with Engine(d, path, config_id) as e:
            env = alone(d, PATH=os.path.join(d, "bin") + ":" + os.environ["PATH"], SSH_TO=e.path, SSH_LOG=os.path.join(d, "log"))
            for host, words in (("ssh://me@host:2222", ["-l", "me", "-p", "2222", "--", "host", "docker", "system", "dial-stdio"]),
                                ("ssh://host/run/x.sock", ["--", "host", "docker", "--host", "unix:///run/x.sock", "system", "dial-stdio"])):
                got = scan("image", "docker:app:1", "-H", host, env=env)
                equal(packages(got), packages(scan("image", path)), host)
                with open(os.path.join(d, "log")) as f:
                    said = eval(f.readlines()[-1])
                equal(said[-len(words):], words)
            r = run("image", "docker:app:1", "-H", "ssh://host", env=dict(env, SSH_FAILS="1"))
            check(r.code == 4 and "ssh could not connect" in r.err and "Host key" in r.err, r.err)
            r = run("image", "docker:app:1", "-H", "ssh://host", env=dict(env, PATH=os.path.join(d, "nothing")))
            check(r.code == 4 and "ssh" in r.err, r.err)
        left = subprocess.run(["pgrep", "-f", os.path.join(d, "bin/ssh")], capture_output=True, text=True).stdout
        equal(left, "", "ssh was left behind")


if __name__ == "__main__":
    main(globals())
