"""A registry that serves images from memory and misbehaves as its repositories' names ask: what comes before the first '-'
of the name chooses the fault ("busy-app", "broken-app"), see FAULTS. On a loopback port, with or without TLS; also a web
proxy, where it is asked for whole addresses. Every request is kept for the test to look at."""
import base64
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
USER, PASSWORD, REFRESH = "bob", "s3cret:with:colons", "refresh-me"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """Manifests by tag and digest, blobs by digest."""
    def __init__(self):
        self.blobs, self.manifests, self.tags, self.types = {}, {}, {}, {}

    def blob(self, data):
        self.blobs[digest(data)] = data
        return digest(data)

    def manifest(self, document, kind=MANIFEST, tag=None):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.manifests[digest(data)] = data
        self.types[digest(data)] = kind
        if tag:
            self.tags[tag] = digest(data)
        return digest(data)

    def descriptor(self, data, kind, **more):
        return dict({"mediaType": kind, "digest": self.blob(data), "size": len(data)}, **more)


def image_of(layers, tag="1", config=None, layer_type=LAYER, **more):
    """layers: plain tars."""
    image = Image()
    config = config or {"architecture": "amd64", "os": "linux",
                        "rootfs": {"type": "layers", "diff_ids": [digest(l) for l in layers]}}
    image.manifest(dict({"schemaVersion": 2, "mediaType": MANIFEST,
                         "config": image.descriptor(json.dumps(config).encode(), CONFIG),
                         "layers": [image.descriptor(l, layer_type) for l in layers]}, **more), MANIFEST, tag)
    return image


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    # --- answers ---

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message, **headers):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode(), **headers)

    def base(self):
        return f"{self.server.scheme}://127.0.0.1:{self.server.server_address[1]}"

    # --- leave ---

    def basic(self):
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        return base64.b64decode(rest).decode().split(":", 1)

    def token_service(self, query):
        fault = self.server.scope_fault
        if self.command == "POST":
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.posts.append(form)
            if "refresh_token=" + REFRESH not in form or "grant_type=refresh_token" not in form:
                return self.error(401, "UNAUTHORIZED", "bad refresh token")
            return self.answer(200, json.dumps({"access_token": self.server.new_token()}).encode())
        if "scope=repository%3Aprivate" in query and self.basic() != [USER, PASSWORD]:
            return self.error(401, "UNAUTHORIZED", "incorrect username or password")
        if fault == "no-token":
            return self.answer(200, b"{}")
        key = "access_token" if "accesstoken" in query else "token"
        return self.answer(200, json.dumps({key: self.server.new_token(), "expires_in": 60}).encode())

    def allowed(self, fault):
        """False: the refusal was sent."""
        if fault == "basic":
            if self.basic() == [USER, PASSWORD]:
                return True
            self.error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="x"')
            return False
        if fault not in ("token", "accesstoken", "private", "expires", "identity", "badrealm"):
            return True
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        left = self.server.tokens.get(token, 0)
        if kind == "Bearer" and left > 0:
            self.server.tokens[token] = left - 1 if fault == "expires" else left
            return True
        realm = "http://127.0.0.1:1/token" if fault == "badrealm" else self.base() + "/token"
        self.error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=
                   f'Bearer realm="{realm}",service="test, \\"quoted\\"",scope="repository:{self.repository}:pull repository:other/x:pull"')
        return False

    # --- requests ---

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        self.do_GET()

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):  # as a proxy: the registry of that name is this one
            path = "/" + path.split("/", 3)[3]
        if path == "/token":
            return self.token_service(query)
        if path.startswith("/elsewhere/"):
            return self.answer(200, self.server.images[path.split("/")[2]].blobs[path.split("/")[3]])
        parts = path.split("/")
        if path.rstrip("/") == "/v2":
            return self.answer(200, b"{}")
        if len(parts) < 5 or parts[1] != "v2":
            return self.error(404, "NOT_FOUND", "no such address")
        self.repository, kind, name = "/".join(parts[2:-2]), parts[-2], parts[-1]
        fault = self.repository.split("/")[-1].split("-")[0]
        image = self.server.images.get(self.repository)
        if not self.allowed(fault):
            return None
        if fault == "denied":
            return self.error(403, "DENIED", "requested access to the resource is denied")
        if image is None:
            return self.error(404, "NAME_UNKNOWN", "repository name not known to registry")
        return self.manifest(image, fault, name) if kind == "manifests" else self.blob(image, fault, name)

    def do_again(self, what):
        self.server.counts[what] = self.server.counts.get(what, 0) + 1
        return self.server.counts[what]

    def manifest(self, image, fault, name):
        if fault == "busy" and self.do_again("busy") == 1:
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="1")
        if fault == "limit":
            return self.error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit", Retry_After="3600")
        if fault == "huge":
            self.send_response(200)
            self.send_header("Content-Type", MANIFEST)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                self.close_connection = True
                return None
        if fault == "headers":
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while True:
                    self.wfile.write(b"X-Endless: " + b"a" * 1000 + b"\r\n")
            except OSError:
                self.close_connection = True
                return None
        if fault == "schema1":
            return self.answer(200, b'{"schemaVersion": 1, "name": "x", "fsLayers": []}',
                               Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws")
        which = image.tags.get(name, name)
        if which not in image.manifests:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        data = image.manifests[which]
        said = which if fault != "wrongdigest" else digest(b"something else")
        if fault == "swapped" and name.startswith("sha256:"):
            data = data + b" "
        return self.answer(200, data, Content_Type=image.types[which], Docker_Content_Digest=said)

    def blob(self, image, fault, name):
        if name not in image.blobs or fault == "noblob":
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        data = image.blobs[name]
        big = len(data) > 100000
        if fault == "redirect":
            return self.answer(307, b"", Location=f"{self.server.elsewhere}/elsewhere/{self.repository}/{name}?signature=x")
        if fault == "down":
            return self.answer(307, b"", Location=f"http://127.0.0.1:{self.server.server_address[1]}/x")
        if fault == "flipped" and big:
            data = data[:50000] + b"!" + data[50001:]
        start = 0
        if "Range" in self.headers and fault != "norange":
            start = int(self.headers["Range"][6:].rstrip("-"))
        if fault in ("broken", "norange") and big and self.do_again(fault + name) < 3:
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:start + 70000])
            self.close_connection = True
            return None
        if fault == "longer" and big:
            data += b"more"
        if fault == "slow" and big:
            # Twenty drops, a tenth of a second apart.
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            step = len(data) // 20 + 1
            for at in range(0, len(data), step):
                self.wfile.write(data[at:at + step])
                self.wfile.flush()
                time.sleep(0.1)
            return None
        if start:
            return self.answer(206, data[start:], Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        return self.answer(200, data)


class Registry(ThreadingHTTPServer):
    """with Registry(images) as r: ... r.host"""
    daemon_threads = True

    def __init__(self, images, cert=None, client_ca=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.images, self.seen, self.posts, self.tokens, self.counts = images, [], [], {}, {}
        self.scope_fault, self.elsewhere, self.scheme = None, None, "http"
        self.host = f"127.0.0.1:{self.server_address[1]}"
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            if client_ca:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"

    def new_token(self):
        token = f"token{len(self.tokens)}"
        self.tokens[token] = 2
        return token

    def handle_error(self, *_):
        pass

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
