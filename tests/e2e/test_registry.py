#!/usr/bin/env python3
"""Images from registries: Debian's docker-registry, filled by skopeo, and a registry of the tests' own that misbehaves.
What is found must be what the same image has as an archive; what cannot be had is said in words."""
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from harness import (OS_RELEASE, Folder, Skip, check, docker_archive, entry, equal, findings, layer_tar, main, not_assessed,
                     packages, run, scan, status)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from faulty_registry import (CONFIG, INDEX, LAYER, MANIFEST, PASSWORD, REFRESH, USER, Image, Registry, digest,  # noqa: E402
                             image_of)

LAYERS = [
    layer_tar([entry("var/lib/dpkg/status", status(("libssl3", "3.0.9-1"), ("bash", "5.2.15-2"))),
               entry("etc/os-release", OS_RELEASE)]),
    layer_tar([entry("big", os.urandom(300000)), entry("var/lib/dpkg/status.d/curl", status(("curl", "7.88.1-10")))]),
]
REAL = image_of(LAYERS)
NAMES = ["plain", "token-app", "accesstoken-app", "private-app", "private/deep/private-app", "expires-app", "identity-app",
         "badrealm-app", "basic-app", "busy-app", "limit-app", "huge-app", "headers-app", "schema1-app", "wrongdigest-app",
         "swapped-app", "denied-app", "redirect-app", "down-app", "flipped-app", "broken-app", "norange-app", "longer-app",
         "noblob-app", "slow-app", "library/hub"]


def images(**more):
    return dict({n: REAL for n in NAMES}, **more)


def same_as_archive(report, folder):
    archive = os.path.join(folder, "image.tar")
    if not os.path.exists(archive):
        docker_archive(archive, LAYERS)
    want = scan("image", archive)
    equal(packages(report), packages(want), "packages")
    equal(findings(report), findings(want), "findings")


def env_of(folder, **more):
    """A user of whom nothing is known."""
    return dict({"HOME": folder, "XDG_RUNTIME_DIR": folder, "DOCKER_CONFIG": "", "REGISTRY_AUTH_FILE": "",
                 "XDG_CONFIG_HOME": os.path.join(folder, ".config"), "SSL_CERT_FILE": "",
                 "http_proxy": "", "https_proxy": "", "HTTP_PROXY": "", "HTTPS_PROXY": "", "no_proxy": "", "NO_PROXY": "",
                 "CONTAINERS_REGISTRIES_CONF": ""}, **more)


def fails(code, words, target, *args, env, stdin=None):
    r = run("image", target, *args, env=env, stdin=stdin, timeout=60)
    equal(r.code, code, f"{target}: {r.err}")
    for w in words:
        check(w in r.err, f"{target}: {r.err!r} does not say {w!r}")
    return r.err


def password(folder, text):
    path = os.path.join(folder, "password")
    with open(path, "w") as f:
        f.write(text + "\n")
    return open(path, "rb")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def notes(report):
    return " | ".join(report["targets"][0].get("notes", []))


# --- what works ---------------------------------------------------------------------------------------------------------

def test_plain_and_without_prefix():
    with Folder() as f, Registry(images()) as r:
        report = scan("image", f"registry:{r.host}/plain:1", env=env_of(f))
        same_as_archive(report, f)
        check("without credentials" in notes(report), notes(report))
        equal(report["targets"][0]["digest"], REAL.tags["1"], "digest")
        same_as_archive(scan("image", f"{r.host}/plain:1", env=env_of(f)), f)
        by_digest = f"registry:{r.host}/plain@{REAL.tags['1']}"
        same_as_archive(scan("image", by_digest, env=env_of(f)), f)


def test_cached_layers_are_not_fetched():
    with Folder() as f, Registry(images()) as r:
        cache = os.path.join(f, "cache")
        scan("image", f"registry:{r.host}/plain:1", env=env_of(f), cache=cache)
        r.seen.clear()
        same_as_archive(scan("image", f"registry:{r.host}/plain:1", env=env_of(f), cache=cache), f)
        config = json.loads(REAL.manifests[REAL.tags["1"]])["config"]["digest"]
        blobs = [p for _, p, _ in r.seen if "/blobs/" in p]
        equal(blobs, [f"/v2/plain/blobs/{config}"], "blobs fetched again")


def test_gzip_zstd_and_encrypted_and_foreign_layers():
    with Folder() as f:
        image = Image()
        config = {"architecture": "amd64", "os": "linux",
                  "rootfs": {"type": "layers", "diff_ids": [digest(LAYERS[0]), digest(b"1"), digest(b"2")]}}
        image.manifest({"schemaVersion": 2, "config": image.descriptor(json.dumps(config).encode(), CONFIG),
                        "layers": [image.descriptor(gzip.compress(LAYERS[0]), LAYER + "+gzip"),
                                   image.descriptor(b"secret", LAYER + "+gzip+encrypted"),
                                   image.descriptor(b"far", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                                    urls=["https://elsewhere.invalid/x"])]}, MANIFEST, "1")
        with Registry({"app": image}) as r:
            report = scan("image", f"registry:{r.host}/app:1", env=env_of(f))
            equal(len(packages(report)), 2, "packages")
            said = json.dumps(not_assessed(report))
            check("encrypted" in said and "foreign" in said, said)


def test_index_and_platforms():
    with Folder() as f:
        image = image_of(LAYERS, tag="amd")
        other = image_of([LAYERS[0]], tag="arm", config={"architecture": "arm64", "os": "linux",
                         "rootfs": {"type": "layers", "diff_ids": [digest(LAYERS[0])]}})
        for part in ("blobs", "manifests", "types", "tags"):
            getattr(image, part).update(getattr(other, part))
        def entry_of(tag, arch):
            return {"mediaType": MANIFEST, "digest": image.tags[tag], "size": 1,
                    "platform": {"os": "linux", "architecture": arch}}
        image.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            entry_of("amd", "amd64"), entry_of("arm", "arm64"),
            {"mediaType": MANIFEST, "digest": digest(b"att"), "size": 1,
             "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
             "platform": {"os": "unknown", "architecture": "unknown"}}]}, INDEX, "1")
        with Registry({"app": image}) as r:
            arm = scan("image", f"registry:{r.host}/app:1", "--platform", "linux/arm64", env=env_of(f))
            equal(arm["targets"][0]["platform"], "linux/arm64", "platform")
            same_as_archive(scan("image", f"registry:{r.host}/app:1", "--platform", "amd64", env=env_of(f)), f)
            fails(4, ["no image for linux/s390x", "linux/arm64"], f"registry:{r.host}/app:1", "--platform", "linux/s390x",
                  env=env_of(f))


# --- who one is ---------------------------------------------------------------------------------------------------------

def test_tokens():
    with Folder() as f, Registry(images()) as r:
        for name in ("token-app", "accesstoken-app"):
            same_as_archive(scan("image", f"registry:{r.host}/{name}:1", env=env_of(f)), f)
        asked = [p for _, p, _ in r.seen if p.startswith("/token")]
        check(asked[0].count("scope=") == 2, f"scopes: {asked}")
        equal(len(asked), 2, "token requests: one an image, for all its blobs")
        same_as_archive(scan("image", f"registry:{r.host}/expires-app:1", env=env_of(f)), f)
        fails(4, ["127.0.0.1:1"], f"registry:{r.host}/badrealm-app:1", env=env_of(f))
        r.scope_fault = "no-token"
        fails(4, ["gives no token"], f"registry:{r.host}/token-app:1", env=env_of(f))


def test_username_and_password():
    with Folder() as f, Registry(images()) as r:
        for name in ("private-app", "basic-app"):
            target = f"registry:{r.host}/{name}:1"
            fails(4, ["without credentials"], target, env=env_of(f))
            report = scan("image", target, "--username", USER, "--password-stdin", env=env_of(f), stdin=password(f, PASSWORD))
            same_as_archive(report, f)
            check("--username" in notes(report), notes(report))
            err = fails(4, ["credentials of --username (user bob)"], target, "--username", USER, "--password-stdin",
                        env=env_of(f), stdin=password(f, "wrong-password"))
            check("wrong-password" not in err, err)
        fails(2, ["go together"], f"registry:{r.host}/plain:1", "--username", USER, env=env_of(f))
        fails(2, ["go together"], f"registry:{r.host}/plain:1", "--password-stdin", env=env_of(f))


def auth(user=USER, secret=PASSWORD):
    import base64
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def test_credentials_of_files():
    with Folder() as f, Registry(images()) as r:
        target = f"registry:{r.host}/private-app:1"
        docker = write(f + "/docker/config.json", json.dumps({"auths": {f"https://{r.host}/v1/": {"auth": auth()}}}))
        report = scan("image", target, env=env_of(f, DOCKER_CONFIG=f + "/docker"))
        same_as_archive(report, f)
        check(docker in notes(report), notes(report))
        named = write(f + "/named.json", json.dumps({"auths": {r.host: {"auth": auth()}}}))
        check(named in notes(scan("image", target, env=env_of(f, REGISTRY_AUTH_FILE=named))), "REGISTRY_AUTH_FILE")
        home = write(f + "/.docker/config.json", json.dumps({"auths": {r.host: {"auth": auth()}}}))
        check(home in notes(scan("image", target, env=env_of(f))), "~/.docker")
        # The longest path wins, in Podman's file before Docker's.
        podman = write(f + "/containers/auth.json", json.dumps({"auths": {
            r.host: {"auth": auth("x", "y")}, f"{r.host}/private/deep": {"auth": auth()}, f"{r.host}/private/de": {"auth": "x"}}}))
        report = scan("image", f"registry:{r.host}/private/deep/private-app:1", env=env_of(f))
        check(podman in notes(report), notes(report))
        fails(4, ["(user x)", podman], target, env=env_of(f))
        write(f + "/containers/auth.json", "{not json")
        check(home in notes(scan("image", target, env=env_of(f))), "a broken file is passed over")
        check("no JSON" in notes(scan("image", target, env=env_of(f))), "and said")


def test_credential_helpers_and_identity_tokens():
    with Folder() as f, Registry(images()) as r:
        helper = write(f + "/bin/docker-credential-test", f"""#!/bin/sh
[ "$1" = get ] || exit 1
read -r server
echo "$server" >>{f}/asked
[ "$server" = {r.host} ] || {{ echo "credentials not found in native keychain"; exit 1; }}
cat {f}/answer
""")
        os.chmod(helper, 0o755)
        env = env_of(f, PATH=f + "/bin:" + os.environ["PATH"])
        write(f + "/answer", json.dumps({"ServerURL": r.host, "Username": USER, "Secret": PASSWORD}))
        for config in ({"credHelpers": {r.host: "test"}}, {"credsStore": "test"},
                       {"credsStore": "test", "auths": {r.host: {}}}):
            write(f + "/.docker/config.json", json.dumps(config))
            report = scan("image", f"registry:{r.host}/private-app:1", env=env)
            check("docker-credential-test" in notes(report), notes(report))
        write(f + "/answer", json.dumps({"ServerURL": r.host, "Username": "<token>", "Secret": REFRESH}))
        same_as_archive(scan("image", f"registry:{r.host}/identity-app:1", env=env), f)
        check("scope=repository%3Aidentity-app%3Apull" in r.posts[0], r.posts)
        for name, words in (("absent", "cannot be started"), ("../../bin/sh", "no name")):
            write(f + "/.docker/config.json", json.dumps({"credsStore": name}))
            fails(4, [words], f"registry:{r.host}/private-app:1", env=env)
        write(f + "/.docker/config.json", json.dumps({"auths": {r.host: {"identitytoken": REFRESH}}}))
        same_as_archive(scan("image", f"registry:{r.host}/identity-app:1", env=env), f)


# --- what goes wrong ----------------------------------------------------------------------------------------------------

def test_waiting_and_resuming():
    with Folder() as f, Registry(images()) as r:
        for name in ("busy-app", "broken-app", "norange-app"):
            same_as_archive(scan("image", f"registry:{r.host}/{name}:1", env=env_of(f)), f)
        starts = [h["Range"] for _, p, h in r.seen if "broken-app/blobs" in p and "Range" in h]
        equal(starts, ["bytes=70000-", "bytes=140000-"], "resumed at")
        fails(4, ["429", "TOOMANYREQUESTS", "3600"], f"registry:{r.host}/limit-app:1", env=env_of(f))


def test_slow_bytes():
    with Folder() as f, Registry(images()) as r:
        start = time.monotonic()
        same_as_archive(scan("image", f"registry:{r.host}/slow-app:1", env=env_of(f)), f)
        check(time.monotonic() - start > 1.5, "it was not slow")


def test_redirects():
    with Folder() as f, Registry(images()) as other, Registry(images()) as r:
        other.images = {"redirect-app": REAL}
        r.elsewhere = f"http://{other.host}"
        r.images = dict(r.images, **{"redirect-app": REAL})
        write(f + "/.docker/config.json", json.dumps({"auths": {r.host: {"registrytoken": "BEARER-SECRET"}}}))
        same_as_archive(scan("image", f"registry:{r.host}/redirect-app:1", env=env_of(f)), f)
        check(len(other.seen) >= 3, "the other host was asked")
        for _, path, headers in other.seen:
            check("Authorization" not in headers, f"{path} got {headers}")


def test_no_authorization_leaks_where_one_was_sent():
    with Folder() as f, Registry(images()) as other, Registry(images()) as r:
        r.elsewhere = f"http://{other.host}"
        other.images = {"basic": REAL}
        r.images = {"team/redirect": REAL, "redirect": REAL}
        original = r.RequestHandlerClass.allowed

        def basic_only(handler, fault):
            return original(handler, "basic") if handler.server is r else True
        other.images = {"redirect": REAL}
        r.RequestHandlerClass.allowed = basic_only
        try:
            same_as_archive(scan("image", f"registry:{r.host}/redirect:1", "--username", USER, "--password-stdin",
                                 env=env_of(f), stdin=password(f, PASSWORD)), f)
        finally:
            r.RequestHandlerClass.allowed = original
        check(any("Authorization" in h for _, _, h in r.seen), "the registry itself was authorised")
        check(len(other.seen) >= 3 and not any("Authorization" in h for _, _, h in other.seen), "it leaked")


def test_wrong_content():
    with Folder() as f, Registry(images()) as r:
        fails(4, ["another digest"], f"registry:{r.host}/flipped-app:1", env=env_of(f))
        fails(4, ["layer 2"], f"registry:{r.host}/longer-app:1", env=env_of(f))
        fails(4, ["says that the digest"], f"registry:{r.host}/wrongdigest-app:1", env=env_of(f))
        fails(4, ["gives something else"], f"registry:{r.host}/swapped-app@{REAL.tags['1']}", env=env_of(f))
        fails(4, ["BLOB_UNKNOWN"], f"registry:{r.host}/noblob-app:1", env=env_of(f))
        fails(4, ["larger than"], f"registry:{r.host}/huge-app:1", env=env_of(f))
        fails(4, ["HTTP_HEADERS_SIZE_MAX"], f"registry:{r.host}/headers-app:1", env=env_of(f))


def test_what_is_no_image():
    both = Image()
    both.manifest({"schemaVersion": 2, "manifests": [], "layers": [], "config": {}}, INDEX, "1")
    helm, cosign, wasm = Image(), Image(), Image()
    helm.manifest({"schemaVersion": 2, "config": helm.descriptor(b"{}", "application/vnd.cncf.helm.config.v1+json"),
                   "layers": [helm.descriptor(b"x", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]}, MANIFEST, "1")
    config = json.dumps({"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": [digest(b"x")]}}).encode()
    cosign.manifest({"schemaVersion": 2, "config": cosign.descriptor(config, CONFIG),
                     "layers": [cosign.descriptor(b"x", "application/vnd.dev.cosign.simplesigning.v1+json")]}, MANIFEST, "1")
    wasm.manifest({"schemaVersion": 2, "artifactType": "application/vnd.wasm.v1",
                   "config": wasm.descriptor(b"{}", "application/vnd.oci.empty.v1+json"),
                   "layers": [wasm.descriptor(b"x", "application/wasm")]}, MANIFEST, "1")
    with Folder() as f, Registry(images(helm=helm, cosign=cosign, wasm=wasm, both=both)) as r:
        fails(4, ["schema 1"], f"registry:{r.host}/schema1-app:1", env=env_of(f))
        fails(4, ["artifact", "helm"], f"registry:{r.host}/helm:1", env=env_of(f))
        fails(4, ["artifact", "cosign.simplesigning"], f"registry:{r.host}/cosign:1", env=env_of(f))
        fails(4, ["artifact"], f"registry:{r.host}/wasm:1", env=env_of(f))
        fails(4, ["an index at once"], f"registry:{r.host}/both:1", env=env_of(f))


def test_refusals_have_words():
    with Folder() as f, Registry(images()) as r:
        fails(4, ["NAME_UNKNOWN", "without credentials"], f"registry:{r.host}/absent:1", env=env_of(f))
        fails(4, ["MANIFEST_UNKNOWN"], f"registry:{r.host}/plain:2", env=env_of(f))
        fails(4, ["DENIED", "403"], f"registry:{r.host}/denied-app:1", env=env_of(f))
        fails(4, ["--offline"], f"registry:{r.host}/plain:1", "--offline", env=env_of(f))
        seen = len(r.seen)
        fails(4, ["--offline"], f"{r.host}/plain:1", "--offline", env=env_of(f))
        equal(len(r.seen), seen, "requests with --offline")
        fails(2, ["no name"], f"registry:{r.host}/UPPER:1", env=env_of(f))
        fails(2, ["no tag"], f"registry:{r.host}/plain:-", env=env_of(f))
        fails(2, ["digest"], f"registry:{r.host}/plain@sha256:12", env=env_of(f))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        fails(4, ["no connection", "refused"], f"registry:127.0.0.1:{s.getsockname()[1]}/x:1", env=env_of("/nonexistent"))
    fails(4, ["cannot be resolved"], "registry:no-such-host.invalid/x:1", env=env_of("/nonexistent"))


# --- TLS ----------------------------------------------------------------------------------------------------------------

def authority(folder):
    """A CA, a server's and a client's certificate."""
    if not shutil.which("openssl"):
        raise Skip("no openssl")
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        write(f"{folder}/{name}.ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    return folder + "/ca.pem", (folder + "/server.pem", folder + "/server.key")


def test_tls():
    with Folder() as f:
        ca, cert = authority(f)
        with Registry(images(), cert=cert) as r:
            target = f"registry:{r.host}/plain:1"
            err = fails(4, ["TLS with"], target, env=env_of(f))
            check("certificate" in err, err)
            same_as_archive(scan("image", target, "--cacert", ca, env=env_of(f)), f)
            same_as_archive(scan("image", target, env=env_of(f, SSL_CERT_FILE=ca)), f)
            report = scan("image", target, "--insecure", env=env_of(f))
            check("not checked" in notes(report), notes(report))
            fails(4, ["no-such.pem"], target, "--cacert", f + "/no-such.pem", env=env_of(f))
            for place in (".config/docker/certs.d", ".config/containers/certs.d"):
                shutil.copy(ca, write(f"{f}/{place}/{r.host}/ca.crt", ""))
                same_as_archive(scan("image", target, env=env_of(f)), f)
                shutil.rmtree(f"{f}/{place}")
            fails(4, ["https to http"], f"registry:{r.host}/down-app:1", "--cacert", ca, env=env_of(f))
            write(f + "/.docker/config.json", json.dumps({"auths": {r.host: {"auth": auth()}}}))
            fails(4, ["not https"], f"registry:{r.host}/badrealm-app:1", "--cacert", ca, env=env_of(f))
            same_as_archive(scan("image", f"registry:{r.host}/private-app:1", "--cacert", ca, env=env_of(f)), f)


def test_client_certificates():
    with Folder() as f:
        ca, cert = authority(f)
        with Registry(images(), cert=cert, client_ca=ca) as r:
            target = f"registry:{r.host}/plain:1"
            fails(4, [r.host], target, "--cacert", ca, env=env_of(f))
            place = f"{f}/.config/docker/certs.d/{r.host}"
            shutil.copy(ca, write(place + "/ca.crt", ""))
            shutil.copy(f + "/client.pem", place + "/client.cert")
            shutil.copy(f + "/client.key", place + "/client.key")
            same_as_archive(scan("image", target, env=env_of(f)), f)


# --- other places -------------------------------------------------------------------------------------------------------

def test_mirrors_and_registries_conf():
    with Folder() as f, Registry(images()) as r, Registry(images()) as empty:
        empty.images = {}
        conf = write(f + "/registries.conf", f"""
[[registry]]
prefix = "example.test/team"
location = "{r.host}"
[[registry]]
prefix = "mirrored.test"
location = "127.0.0.1:1"
[[registry.mirror]]
location = "{empty.host}"
[[registry.mirror]]
location = "{r.host}"
[[registry]]
prefix = "blocked.test"
blocked = true
[aliases]
"short" = "{r.host}/plain"
""")
        env = env_of(f, CONTAINERS_REGISTRIES_CONF=conf)
        same_as_archive(scan("image", "registry:example.test/team/plain:1", env=env), f)
        report = scan("image", "registry:mirrored.test/plain:1", env=env)
        same_as_archive(report, f)
        check(conf in notes(report) and "mirror" in notes(report), notes(report))
        check(any("/plain/" in p for _, p, _ in empty.seen), "the first mirror was asked first")
        same_as_archive(scan("image", "registry:short:1", env=env), f)
        fails(4, ["blocked", conf], "registry:blocked.test/x:1", env=env)
        fails(4, ["127.0.0.1:1", "mirror", "before that"], "registry:mirrored.test/absent:1", env=env)
        write(f + "/registries.conf", "a = 1\na = 2\n")
        fails(4, [conf, "line 2"], "registry:short:1", env=env)
        write(f + "/.config/docker/daemon.json", json.dumps({"registry-mirrors": [f"http://{r.host}/"]}))
        report = scan("image", "registry:hub:1", env=env_of(f, CONTAINERS_REGISTRIES_CONF="/nonexistent"))
        same_as_archive(report, f)
        check("daemon.json" in notes(report), notes(report))


def test_proxy():
    with Folder() as f, Registry(images()) as r:
        env = env_of(f, http_proxy=f"http://{r.host}")
        same_as_archive(scan("image", "registry:plain.registry.test/plain:1", "--insecure",
                             env=dict(env, https_proxy=f"http://{r.host}")), f)
        check(any(p.startswith("http://plain.registry.test/v2/plain/") for _, p, _ in r.seen), r.seen[:3])
        r.seen.clear()
        fails(4, ["cannot be resolved"], "registry:plain.registry.invalid/plain:1", "--insecure",
              env=dict(env, no_proxy="plain.registry.invalid"))
        equal(r.seen, [], "asked in spite of no_proxy")


# --- the real one -------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Distribution:
    """Debian's docker-registry in a folder, with one user where a password file can be made."""
    def __init__(self, folder, auth):
        for program in ["docker-registry", "skopeo"] + (["htpasswd"] if auth else []):
            if not shutil.which(program):
                raise Skip(f"no {program}")
        self.host = f"127.0.0.1:{free_port()}"
        config = (f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
                  f"http: {{addr: '{self.host}'}}\nlog: {{level: error, accesslog: {{disabled: true}}}}\n")
        if auth:
            line = subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], check=True, stdout=subprocess.PIPE).stdout
            write(folder + "/htpasswd", line.decode())
            config += f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
        self.process = subprocess.Popen(["docker-registry", "serve", write(folder + "/config.yml", config)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", int(self.host.split(":")[1]))) == 0:
                    break
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def skopeo(*args):
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *args], check=True, stdout=subprocess.DEVNULL)


def test_docker_registry():
    with Folder() as f, Distribution(f, auth=True) as d:
        archive = docker_archive(f + "/image.tar", LAYERS)
        to = ["--dest-tls-verify=false", "--dest-creds", f"{USER}:{PASSWORD}"]
        skopeo(*to, f"docker-archive:{archive}", f"docker://{d.host}/team/docker:1")
        skopeo(*to, "--format", "oci", f"docker-archive:{archive}", f"docker://{d.host}/team/oci:1")
        skopeo(*to, "--format", "oci", "--dest-compress-format", "zstd", "--dest-compress", f"docker-archive:{archive}",
               f"docker://{d.host}/team/zstd:1")
        write(f + "/.docker/config.json", json.dumps({"auths": {d.host: {"auth": auth()}}}))
        for name in ("docker", "oci", "zstd"):
            same_as_archive(scan("image", f"registry:{d.host}/team/{name}:1", env=env_of(f)), f)
        fails(4, ["MANIFEST_UNKNOWN"], f"registry:{d.host}/team/oci:2", env=env_of(f))
        fails(4, ["without credentials"], f"registry:{d.host}/team/oci:1", env=env_of("/nonexistent"))


if __name__ == "__main__":
    main(dict(globals()))
