"""An engine that plays what real ones do, and what none should: for the tests of Docker's API.

    with Engine(folder, archive="app.tar", config_id="HEX", mode="chunked") as e: ... e.host ... e.asked

Modes: ok, chunked, dying (the stream breaks off half-way), short (it ends early, and well), silent (answers nothing),
slow (a byte a second), garbage (no HTTP), broken (no JSON), huge (JSON without an end), deep, liar (ids that are paths),
errors (500), denied (403), web (a web server that is no engine), closing (a connection for each answer).
`api` is what it speaks; below `api_min` it refuses with 400, as engines do."""
import http.server
import json
import os
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_response(self, code, message=None):
        self.send_response_only(code, message)  # without a Server header of Python's

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.server.engine.mode == "closing":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        e = self.server.engine
        e.asked.append(self.path)
        trick = getattr(self, "play_" + e.mode, None)
        if trick and trick() is not False:
            self.close_connection = True
            return
        path = urllib.parse.unquote(self.path)
        version, rest = "", path
        if path.startswith("/v1."):
            version, rest = path[2:].split("/", 1)
            rest = "/" + rest
        if version and not e.accepts(version):
            self.answer({"message": f"client version {version} is too old. Minimum supported API version is 1.{e.api_min}, "
                                    "please upgrade your client to a newer version"}, 400)
            return
        self.route(e, rest.split("?")[0])

    def route(self, e, path):
        if path == "/_ping":
            if e.ping_says_version:
                self.answer(b"OK", headers=[("Api-Version", e.api), ("Server", "Docker/stub (linux)")])
            else:
                self.answer(b"OK")
        elif path == "/version":
            self.answer({"Version": "stub", "ApiVersion": e.api, "MinAPIVersion": f"1.{e.api_min}"})
        elif path == "/info":
            self.answer({"Driver": e.driver, "DockerRootDir": e.root, "DriverStatus": e.driver_status})
        elif path == "/images/json":
            self.answer([{"Id": "sha256:" + e.config_id, "RepoTags": e.tags}, {"Id": "sha256:" + "1" * 64, "RepoTags": None},
                         {"Id": "sha256:" + "2" * 64, "RepoTags": ["<none>:<none>"]}])
        elif path.startswith("/images/") and path.endswith("/json"):
            self.image(e, path[len("/images/"):-len("/json")])
        elif path.startswith("/images/") and path.endswith("/get"):
            self.stream(e)
        elif path.startswith("/containers/") and path.endswith("/json"):
            name = path[len("/containers/"):-len("/json")]
            if name != "web":
                self.answer({"message": "No such container: " + name}, 404)
            else:
                self.answer({"Id": "c" * 64, "Image": "sha256:" + e.config_id, "Name": "/web", "GraphDriver": e.graph_driver})
        else:
            self.answer({"message": "page not found"}, 404)

    def image(self, e, name):
        known = e.tags + ["sha256:" + e.config_id, e.config_id, e.config_id[:12]]
        if name not in known:
            self.answer({"message": "No such image: " + name}, 404)
            return
        about = {"Id": "sha256:" + e.config_id, "RepoTags": e.tags, "RootFS": {"Type": "layers", "Layers": []}}
        if e.graph_driver:
            about["GraphDriver"] = e.graph_driver
        if e.mode == "liar":
            about["Id"] = "sha256:../../../../etc/passwd"
        self.answer(about)

    def stream(self, e):
        with open(e.archive, "rb") as f:
            data = f.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-tar")
        if e.mode in ("chunked", "dying", "short"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            end = len(data) if e.mode == "chunked" else len(data) // 2
            for at in range(0, end, 7777):
                piece = data[at:min(at + 7777, end)]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if e.mode == "dying":
                self.close_connection = True
                return
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def play_silent(self):
        time.sleep(self.server.engine.patience)

    def play_slow(self):
        for c in b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nX-Long: " + b"x" * 10000:
            self.wfile.write(bytes([c]))
            time.sleep(1)
            if self.server.engine.ended:
                return

    def play_garbage(self):
        self.wfile.write(b"\x00\xff SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256)) * 40)

    def play_broken(self):
        if self.path.endswith("/_ping"):
            return False
        self.answer(b'{"Id": "sha256:')

    def play_huge(self):
        if self.path.endswith("/_ping"):
            return False
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"Id": "')
        try:
            for _ in range(4096):
                self.wfile.write(b"a" * 65536)
        except OSError:
            pass

    def play_deep(self):
        if self.path.endswith("/_ping"):
            return False
        self.answer(b"[" * 100000)

    def play_errors(self):
        self.answer({"message": "the disk is \x1b[31mfull"}, 500)

    def play_denied(self):
        self.answer({"message": "authorization denied by plugin"}, 403)

    def play_web(self):
        self.answer(b"<html>nothing here</html>", 404)


class Engine:
    def __init__(self, folder, archive=None, config_id="0" * 64, mode="ok", api="1.41", api_min=12, tcp=False, tls=None,
                 graph_driver=None, driver="overlay2", driver_status=(), root="/nowhere", ping_says_version=True,
                 tags=("app:1",), patience=60):
        self.archive, self.config_id, self.mode, self.api, self.api_min = archive, config_id, mode, api, api_min
        self.graph_driver, self.driver, self.driver_status, self.root = graph_driver, driver, list(driver_status), root
        self.ping_says_version, self.tags, self.asked, self.ended, self.patience = ping_says_version, list(tags), [], False, patience
        base = socketserver.ThreadingTCPServer if tcp else socketserver.ThreadingUnixStreamServer

        class Server(base):
            daemon_threads, allow_reuse_address = True, True

            def get_request(self):
                request, address = super().get_request()
                return request, address or ("unix", 0)

            def handle_error(self, *_):
                pass

        if tcp:
            self.server = Server(("127.0.0.1", 0), Handler)
            self.host = "tcp://127.0.0.1:%d" % self.server.server_address[1]
        else:
            self.path = os.path.join(folder, "engine.sock")
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.server = Server(self.path, Handler)
            self.host = "unix://" + self.path
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls["cert"], tls["key"])
            context.load_verify_locations(tls["ca"])
            context.verify_mode = ssl.CERT_REQUIRED
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.engine = self

    def accepts(self, version):
        minor = int(version.split(".")[1])
        return self.api_min <= minor <= int(self.api.split(".")[1])

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.server.shutdown()
        self.server.server_close()


class DeafSocket:
    """A socket that somebody holds open and never takes connections from, its queue full."""
    def __init__(self, path):
        self.path, self.waiting = path, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(0)

    def __enter__(self):
        for _ in range(2):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            try:
                s.connect(self.path)
            except OSError:
                pass
            self.waiting.append(s)
        return self

    def __exit__(self, *_):
        for s in self.waiting + [self.socket]:
            s.close()
